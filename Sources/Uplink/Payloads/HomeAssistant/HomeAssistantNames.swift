import Telemetry

/// The ids and names under which Home Assistant knows things.
enum HomeAssistantNames {
  /// Bytes of the readable part of an id.
  private static let slugBytes = 48

  /// A level of a discovery topic: letters, digits, `_` and `-`. Text that has others gets a hash, so that two stay two.
  static func level(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy(isLevelByte)
    return isPlain ? text : "\(slug(text))-\(hex(hash(text)))"
  }

  /// The id of a series among those of its node: readable, and exact by the hash of its key. A metric without labels needs none when
  /// its dot is the first separator: then no other name makes the same text.
  static func component(_ series: String, name: String, hash: UInt64) -> String {
    let readable = slug(name)
    let family = name.prefix { $0 != "." }
    let isExact = series == name && readable.utf8.count == name.utf8.count && !family.utf8.contains(UInt8(ascii: "_"))
    let hasOnlyOneDot = name.utf8.count { $0 == UInt8(ascii: ".") } == 1
    let isPlain = name.utf8.allSatisfy { isSlugByte($0) || $0 == UInt8(ascii: ".") }
    return isExact && hasOnlyOneDot && isPlain ? readable : "\(readable)-\(hex(hash))"
  }

  /// The member of a state message that holds the value of a series.
  static func key(hash: UInt64) -> String { "k\(hex(hash))" }

  /// FNV-1a, 64 bits, folded to 48.
  static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return (hash ^ (hash >> 48)) & hashMask
  }

  static let hashMask: UInt64 = 0xFFFF_FFFF_FFFF

  /// What people read: `disk.read_bytes_per_second{device="nvme0n1"}` is `Disk read nvme0n1`. The unit is shown beside the value.
  static func name(_ metric: String, labels: [Label], unit: String, isCounter: Bool) -> String {
    // A total of seconds keeps its word: a share of the same thing often stands beside it.
    let suffix = isCounter ? nil : suffixes[unit]
    var quantity = Substring(metric)
    if let suffix, quantity.hasSuffix(suffix), quantity.utf8.count > suffix.utf8.count {
      quantity = quantity.dropLast(suffix.count)
    }
    let words = words(String(quantity)) + labels.map(\.value)
    return clean(words.joined(separator: " "))
  }

  /// A name written with `-` and `_`, for people: `cpu-hot` is `CPU hot`.
  static func name(of text: String) -> String { clean(words(text).joined(separator: " ")) }

  /// Text that is safe to show: no control characters, nothing that turns the writing direction, and not too long.
  static func clean(_ text: String) -> String {
    var kept = ""
    for scalar in text.unicodeScalars {
      let shown: Unicode.Scalar
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: shown = " "
      default: shown = scalar
      }
      guard kept.utf8.count + shown.utf8.count <= UplinkLimits.homeAssistantNameBytes else { break }
      kept.unicodeScalars.append(shown)
    }
    return kept.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) ? "unnamed" : kept
  }

  private static let suffixes: [String: String] = [
    "%": "_percent", "B": "_bytes", "B/s": "_bytes_per_second", "bit/s": "_bits_per_second", "1/s": "_per_second",
    "s/s": "_seconds_per_second", "s": "_seconds", "ms": "_milliseconds", "Hz": "_hertz", "°C": "_celsius", "V": "_volts",
    "A": "_amperes", "W": "_watts", "J": "_joules",
  ]

  private static let abbreviations: Set<String> = ["cpu", "tcp", "udp", "oom", "rpm"]

  private static func words(_ text: String) -> [String] {
    let words = text.split { ".-_".contains($0) }.map { abbreviations.contains(String($0)) ? $0.uppercased() : String($0) }
    guard let first = words.first, let initial = first.first else { return words }
    return [initial.uppercased() + first.dropFirst()] + words.dropFirst()
  }

  private static func slug(_ text: String) -> String {
    String(decoding: text.utf8.prefix(slugBytes).map { isSlugByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
  }

  private static func isSlugByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
    default: false
    }
  }

  private static func isLevelByte(_ byte: UInt8) -> Bool {
    isSlugByte(byte) || byte == UInt8(ascii: "-") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }

  private static func hex(_ hash: UInt64) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: max(12 - digits.count, 0)) + digits
  }
}
