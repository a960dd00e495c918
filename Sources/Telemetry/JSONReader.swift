/// Why a text is not taken as JSON: what, and at which byte.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong there.
  public let what: String
  /// Bytes before it.
  public let offset: Int

  /// `a quote is missing, byte 12`.
  public var description: String { "\(what), byte \(offset)" }
}

/// Reads JSON (RFC 8259) that came from outside: strict, and bounded in size, depth and count of values. A key that is there twice is
/// refused: readers differ on which one counts.
public struct JSONReader: Sendable {
  /// What a text may be at most.
  public struct Limits: Sendable {
    /// Of the text.
    public var bytes: Int
    /// Arrays and objects within each other.
    public var depth: Int
    /// Values in all, members' keys not counted.
    public var values: Int

    /// Bounds; depth is clamped to 64, for reading recurses.
    public init(bytes: Int, depth: Int, values: Int) {
      self.bytes = bytes
      self.depth = min(depth, 64)
      self.values = values
    }
  }

  private let bytes: [UInt8]
  private let limits: Limits
  private var at = 0
  private var values = 0

  private init(_ bytes: [UInt8], _ limits: Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// Reads one value that is the whole text.
  public static func read(_ bytes: [UInt8], limits: Limits) throws(JSONError) -> JSONValue {
    guard bytes.count <= limits.bytes else { throw JSONError(what: "the text is longer than \(limits.bytes) bytes", offset: 0) }
    var reader = JSONReader(bytes, limits)
    reader.skipBlanks()
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.at == bytes.count else { throw reader.error("something follows the value") }
    return value
  }

  private func error(_ what: String) -> JSONError { JSONError(what: what, offset: at) }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { at += 1 }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    values += 1
    guard values <= limits.values else { throw error("more than \(limits.values) values") }
    guard let next else { throw error("the text ends where a value belongs") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("no value begins like this")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[at...].starts(with: word.utf8) else { throw error("no value begins like this") }
    at += word.utf8.count
    return value
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    try enter(depth)
    var elements: [JSONValue] = []
    if skip(UInt8(ascii: "]")) { return .array([]) }
    repeat {
      skipBlanks()
      elements.append(try value(depth: depth))
      skipBlanks()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "]")) else { throw error("',' or ']' is missing") }
    return .array(elements)
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    try enter(depth)
    var members: [JSONValue.Member] = []
    // Not the members are searched: many keys would take the square of their count.
    var keys: Set<String> = []
    if skip(UInt8(ascii: "}")) { return .object([]) }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw error("a key is missing") }
      let key = try string()
      guard keys.insert(key).inserted else { throw error("a key is there twice") }
      skipBlanks()
      guard skip(UInt8(ascii: ":")) else { throw error("':' is missing") }
      skipBlanks()
      members.append(JSONValue.Member(key, try value(depth: depth)))
      skipBlanks()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw error("',' or '}' is missing") }
    return .object(members)
  }

  /// Steps over a bracket.
  private mutating func enter(_ depth: Int) throws(JSONError) {
    guard depth <= limits.depth else { throw error("more than \(limits.depth) levels") }
    at += 1
    skipBlanks()
  }

  // MARK: Numbers

  /// `-`? (`0` | `1…9` digits) (`.` digits)? (`e` sign? digits)?
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = at
    _ = skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) { try digits() }
    if skip(UInt8(ascii: ".")) { try digits() }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "-")) { _ = skip(UInt8(ascii: "+")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw JSONError(what: "the number is too large", offset: start)
    }
    return .number(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { at += 1 }
    guard at > start else { throw error("a digit is missing") }
  }

  // MARK: Strings

  private mutating func string() throws(JSONError) -> String {
    let start = at
    at += 1
    var text: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw JSONError(what: "a text is not UTF-8", offset: start)
        }
        return valid
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw error("a control character in a text")
      default: text.append(byte)
      }
    }
    throw error("a quote is missing")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = next else { throw error("a quote is missing") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
    default: throw error("no such escape")
    }
  }

  /// After `\u`: beyond the basic plane two escapes make one character (RFC 8259, 7).
  private mutating func scalar() throws(JSONError) -> Character {
    var value = try hexadecimal()
    if (0xD800..<0xDC00).contains(value), skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) {
      let low = try hexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw error("half a surrogate pair") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("a hexadecimal digit is missing")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
