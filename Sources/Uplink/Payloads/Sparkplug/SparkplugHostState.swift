/// What a host application says of itself on `spBv1.0/STATE/<host>`: `{"online":true,"timestamp":1668114759262}` (3.0, section 6.4.27).
struct SparkplugHostState: Hashable, Sendable {
  var isOnline: Bool
  /// When the host connected, Unix milliseconds.
  var timestamp: UInt64

  /// Reads the JSON; nil when it is none, or without one of the two. Other keys are passed over.
  init?(_ payload: [UInt8]) {
    guard payload.count <= UplinkLimits.Sparkplug.stateBytes else { return nil }
    var scanner = StateScanner(bytes: payload)
    var online: Bool?
    var time: UInt64?
    let isWhole = scanner.object { scanner, key in
      switch key {
      case "online":
        online = scanner.boolean()
        return online != nil
      case "timestamp":
        time = scanner.wholeNumber()
        return time != nil
      default: return scanner.skip(depth: 1)
      }
    }
    guard isWhole, scanner.isAtEnd, let online, let time else { return nil }
    isOnline = online
    timestamp = time
  }
}

/// As much of JSON (RFC 8259) as a STATE message needs.
private struct StateScanner {
  let bytes: [UInt8]
  var position = 0

  var isAtEnd: Bool {
    mutating get {
      blanks()
      return position == bytes.count
    }
  }

  /// An object: `member` reads the value after each key.
  mutating func object(_ member: (inout StateScanner, String) -> Bool) -> Bool {
    guard take("{") else { return false }
    if take("}") { return true }
    while true {
      guard let key = string(), take(":"), member(&self, key) else { return false }
      if take("}") { return true }
      guard take(",") else { return false }
    }
  }

  mutating func boolean() -> Bool? {
    if word("true") { return true }
    return word("false") ? false : nil
  }

  /// A number without sign, fraction or exponent, as all but a few hosts write it; a fraction of zeros is taken, too.
  mutating func wholeNumber() -> UInt64? {
    let text = number()
    if let whole = UInt64(text) { return whole }
    guard let value = Double(text), value >= 0, value < 9e15 else { return nil }
    return UInt64(value)
  }

  mutating func skip(depth: Int) -> Bool {
    guard depth < UplinkLimits.Sparkplug.stateDepth else { return false }
    blanks()
    guard position < bytes.count else { return false }
    switch bytes[position] {
    case UInt8(ascii: "\""): return string() != nil
    case UInt8(ascii: "{"): return object { scanner, _ in scanner.skip(depth: depth + 1) }
    case UInt8(ascii: "["): return array(depth: depth)
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return boolean() != nil
    case UInt8(ascii: "n"): return word("null")
    default: return Double(number()) != nil
    }
  }

  private mutating func array(depth: Int) -> Bool {
    guard take("[") else { return false }
    if take("]") { return true }
    while skip(depth: depth + 1) {
      if take("]") { return true }
      guard take(",") else { return false }
    }
    return false
  }

  /// A string as it is written: no key that is looked for has anything to escape.
  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
      case UInt8(ascii: "\\"): position += 2
      case 0..<0x20: return nil
      default: position += 1
      }
    }
    return nil
  }

  private mutating func number() -> String {
    blanks()
    let start = position
    let marks = Array("+-.eE".utf8)
    while position < bytes.count, marks.contains(bytes[position]) || (0x30...0x39).contains(bytes[position]) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    blanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func word(_ text: String) -> Bool {
    blanks()
    guard bytes[min(position, bytes.count)...].starts(with: text.utf8) else { return false }
    position += text.utf8.count
    return true
  }

  private mutating func blanks() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }
}
