import Telemetry

/// A value from outside, before it is known whether the profile wants it.
struct CustomSample: Equatable {
  /// As its source calls it.
  var name: String
  var labels: [Label] = []
  var value: Double
  /// The unit that the source says, if it says one.
  var unit: CustomUnit?
  /// Whether it only grows, if the source says so.
  var kind: MetricKind?
  /// Whether it is no loss when the profile does not state it.
  var isExtra = false
}

/// A unit as other formats name it, and how it fits to one of the metric's.
struct CustomUnit: Equatable {
  let unit: Unit
  /// How many of `unit` it is.
  var factor = 1.0

  /// The value in the unit that the profile states; nil when that is another quantity.
  func value(_ value: Double, in wanted: Unit) -> Double? {
    switch (unit, wanted) {
    case (unit, unit) where unit == wanted: value * factor
    case (.seconds, .milliseconds): value * factor * 1000
    case (.milliseconds, .seconds): value * factor / 1000
    default: nil
    }
  }
}

/// Why the text of a source is not taken.
enum CustomFault: Error, Equatable, CustomStringConvertible {
  /// It ended with a status, and said this.
  case exited(Int32, String)
  case signalled(Int32)
  case timedOut(milliseconds: Int)
  case tooMuchOutput(bytes: Int)
  case malformed(line: Int, what: String)
  case notRun(String)

  var description: String {
    switch self {
    case .exited(let status, let text): "exit status \(status)\(text.isEmpty ? "" : ": \(text)")"
    case .signalled(let signal): "ended by signal \(signal)"
    case .timedOut(let milliseconds): "killed after \(Quantity.duration(milliseconds))"
    case .tooMuchOutput(let bytes): "more than \(bytes) bytes of output"
    case .malformed(let line, let what): "line \(line): \(what)"
    case .notRun(let why): why
    }
  }
}

/// The text of a source, line by line.
struct CustomLines {
  private let bytes: [UInt8]
  private var at = 0
  /// Of the line that was given last, from 1.
  private(set) var number = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next line without its end; nil behind the last.
  mutating func next() -> ArraySlice<UInt8>? {
    guard at < bytes.count else { return nil }
    let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
    var line = bytes[at..<end]
    if line.last == 0x0D { line.removeLast() }
    at = end + 1
    number += 1
    return line
  }

  func fault(_ what: String) -> CustomFault { .malformed(line: number, what: what) }
}

/// What all formats agree on.
enum CustomText {
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// Without the blanks at both ends.
  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }

  /// A decimal number, finite; nil for any other text. `Double` alone would take `inf`, `nan` and hexadecimal numbers.
  static func number(_ bytes: some Collection<UInt8>) -> Double? {
    guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: continue
      default: return nil
      }
    }
    guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
    return value
  }

  /// As a metric's name may be: lower-case letters, digits and single `_` between them. Empty when nothing is left.
  static func name(_ text: some Collection<UInt8>) -> String {
    var name: [UInt8] = []
    for byte in text.prefix(CustomLimits.nameBytes) {
      switch byte {
      case 0x61...0x7A, 0x30...0x39: name.append(byte)
      case 0x41...0x5A: name.append(byte + 0x20)
      default: if let last = name.last, last != 0x5F { name.append(0x5F) }
      }
    }
    if name.last == 0x5F { name.removeLast() }
    return String(decoding: name, as: UTF8.self)
  }
}
