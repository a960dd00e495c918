/// Why a text is no value of a setting's type: what is wrong and what would be right.
public struct SettingError: Error, Hashable, Sendable {
  /// What is wrong with the text.
  public let what: String
  /// What to write instead.
  public let remedy: String

  /// Says what is wrong and what would be right.
  public init(what: String, remedy: String) {
    self.what = what
    self.remedy = remedy
  }
}

extension SettingType {
  /// Types a scalar as written in a profile. Lists are separated by commas here; a YAML sequence is joined by its reader.
  public func parse(_ text: String) throws(SettingError) -> SettingValue {
    switch self {
    case .bool: return try parseBool(text)
    case .integer(let range): return try parseInteger(text, range)
    case .number:
      guard let value = Quantity.number(text) else { throw fault(text, "a number", "12.5") }
      return .number(value)
    case .text, .secretFile: return .text(text)
    case .texts: return .list(text.isEmpty ? [] : [text])
    case .duration(let range):
      guard let value = Quantity.milliseconds(text) else { throw fault(text, "a duration", "250ms, 10s, 5m, 1h30m or 7d") }
      guard range.contains(value) else {
        throw outside(text, Quantity.duration(range.lowerBound), Quantity.duration(range.upperBound))
      }
      return .milliseconds(value)
    case .size(let range):
      guard let value = Quantity.bytes(text) else { throw fault(text, "a size", "4096, 64KiB, 256MiB or 1GiB") }
      guard range.contains(value) else { throw outside(text, Quantity.size(range.lowerBound), Quantity.size(range.upperBound)) }
      return .bytes(value)
    case .rate:
      if text == "unlimited" { return .bytes(Int.max) }
      guard text.hasSuffix("/s"), let value = Quantity.bytes(String(text.dropLast(2))), value > 0 else {
        throw fault(text, "a rate", "64KiB/s, 1MiB/s or unlimited")
      }
      return .bytes(value)
    case .percent:
      guard let value = Quantity.percent(text) else { throw fault(text, "a percentage", "80% (0 to 100)") }
      return .number(value)
    case .temperature:
      guard let value = Quantity.celsius(text) else { throw fault(text, "a temperature", "75C or 167F") }
      return .number(value)
    case .patterns: return .list(SettingType.split(text))
    case .choice(let words):
      guard words.contains(text) else {
        throw SettingError(what: "'\(text)' is not one of its values", remedy: "use \(words.joined(separator: ", "))")
      }
      return .text(text)
    case .choices(let words):
      let given = SettingType.split(text)
      for word in given where !words.contains(word) {
        throw SettingError(what: "'\(word)' is not one of its values", remedy: "use some of \(words.joined(separator: ", "))")
      }
      return .list(given)
    case .key: return .text(try parseKey(text))
    case .keys: return .list(text.isEmpty ? [] : [try parseKey(text)])
    case .command:
      guard text.hasPrefix("/"), !text.utf8.contains(0) else {
        throw SettingError(
          what: "'\(text)' is no absolute path of a program", remedy: "write [\"/usr/bin/PROGRAM\", \"ARGUMENT\"]")
      }
      return .list([text])
    case .chip: return .chip(ChipDevice(chip: text, description: .unknown("its file was not read"), address: 0))
    case .map: throw SettingError(what: "'\(text)' is a single value", remedy: "write a map: {key: value}")
    case .items: throw SettingError(what: "'\(text)' is a single value", remedy: "write a list, each item begun with '- '")
    }
  }

  private func parseBool(_ text: String) throws(SettingError) -> SettingValue {
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    default: throw fault(text, "a switch", "true or false")
    }
  }

  private func parseInteger(_ text: String, _ range: ClosedRange<Int>) throws(SettingError) -> SettingValue {
    guard let value = Int(text) else {
      throw fault(text, "a whole number", "one from \(range.lowerBound) to \(range.upperBound)")
    }
    let digits = text.drop { $0 == "-" || $0 == "+" }
    guard digits == "0" || !digits.hasPrefix("0") else {
      throw SettingError(what: "'\(text)' could be meant as an octal number", remedy: "write \(value), without the zero")
    }
    guard range.contains(value) else { throw outside(text, "\(range.lowerBound)", "\(range.upperBound)") }
    return .integer(value)
  }

  private func parseKey(_ text: String) throws(SettingError) -> String {
    let isKey = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    guard isKey, let first = text.utf8.first, !(0x30...0x39).contains(first), text.utf8.count <= 64 else {
      throw SettingError(
        what: "'\(text)' is no key", remedy: "use lower-case letters, digits and '_', beginning with a letter, at most 64")
    }
    return text
  }

  private func fault(_ text: String, _ kind: String, _ example: String) -> SettingError {
    SettingError(what: "'\(text)' is not \(kind)", remedy: "write \(example)")
  }

  private func outside(_ text: String, _ low: String, _ high: String) -> SettingError {
    SettingError(what: "'\(text)' is out of range", remedy: "use \(low) to \(high)")
  }

  private static func split(_ text: String) -> [String] {
    text.split(separator: ",").map { part in
      var part = part
      while part.first == " " { part.removeFirst() }
      while part.last == " " { part.removeLast() }
      return String(part)
    }.filter { !$0.isEmpty }
  }
}
