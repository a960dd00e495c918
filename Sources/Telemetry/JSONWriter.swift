/// Writes JSON (RFC 8259) into bytes, in the order in which it is told, without intermediate texts.
///
/// Commas are its own business; that objects alternate keys and values, and that what was begun is ended, is the caller's.
public struct JSONWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// An empty text with room for `capacity` bytes.
  public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// Forgets the text and keeps its room.
  public mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// Writes `{`.
  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  /// Writes `}`.
  public mutating func endObject() { end(UInt8(ascii: "}")) }
  /// Writes `[`.
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  /// Writes `]`.
  public mutating func endArray() { end(UInt8(ascii: "]")) }

  /// Writes a member's key; its value is next.
  public mutating func key(_ key: String) {
    separate()
    quote(key)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a member's key that is a JSON text already, quotes and all: for keys that are written again and again.
  public mutating func key(raw json: ArraySlice<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a piece of JSON as it stands, behind a value and up to the colon of a key: `}},"next":`. Its commas are the caller's.
  public mutating func bridge(raw json: ArraySlice<UInt8>) {
    bytes.append(contentsOf: json)
    needsComma = false
  }

  /// Writes text; quote, backslash and control characters are escaped, all else is UTF-8 as it is.
  public mutating func string(_ text: String) {
    separate()
    quote(text)
  }

  /// Writes `true` or `false`.
  public mutating func bool(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  /// Writes `null`.
  public mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Writes a whole number.
  public mutating func integer(_ value: some FixedWidthInteger) {
    separate()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    digits(UInt64(value.magnitude))
  }

  /// Writes a number that parses back to the same double, whole ones without a fraction; NaN and infinities as `null`.
  public mutating func number(_ value: Double) {
    separate()
    let magnitude = value.magnitude
    if magnitude < 9_007_199_254_740_992, decimal(magnitude, negative: value.sign == .minus) { return }
    guard value.isFinite else {
      bytes.append(contentsOf: "null".utf8)
      return
    }
    let text = value.description
    bytes.append(contentsOf: text.utf8)
    if text.hasSuffix(".0") { bytes.removeLast(2) }
  }

  /// Writes a value that is JSON already.
  public mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
  }

  /// Writes a number of few decimals by its digits. With `value × 10ⁿ` rounded to a whole m below 2⁵³, both m and 10ⁿ are exact,
  /// so when m ÷ 10ⁿ (correctly rounded) is the value, the text `m` with n decimals parses to it, too. Sensors round to at most
  /// nine decimals, so nearly all values end here, and at the first n that will do.
  private mutating func decimal(_ magnitude: Double, negative: Bool) -> Bool {
    for places in 0...9 {
      let scaled = (magnitude * Double.powersOfTen[places]).rounded()
      guard scaled < 9_007_199_254_740_992 else { return false }
      guard scaled / Double.powersOfTen[places] == magnitude else { continue }
      if negative { bytes.append(UInt8(ascii: "-")) }
      digits(UInt64(scaled), decimals: places)
      // `-0` is a whole number to most readers, and those have no negative zero.
      if negative, scaled == 0 { bytes.append(contentsOf: ".0".utf8) }
      return true
    }
    return false
  }

  /// Writes digits from the right into room made for them, at least one before the point.
  private mutating func digits(_ value: UInt64, decimals: Int = 0) {
    var count = 1
    var bound: UInt64 = 10
    while value >= bound, count < 20 {
      count += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    count = max(count, decimals + 1)
    if decimals > 0 { count += 1 }
    let start = bytes.count
    for _ in 0..<count { bytes.append(UInt8(ascii: "0")) }
    var rest = value
    var at = start + count - 1
    let point = decimals > 0 ? at - decimals : -1
    while at >= start {
      if at == point {
        bytes[at] = UInt8(ascii: ".")
      } else {
        bytes[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      at -= 1
    }
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      bytes.append(contentsOf: text.utf8)
    } else {
      for byte in text.utf8 { escape(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
    case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
    case UInt8(ascii: "\r"): bytes.append(contentsOf: #"\r"#.utf8)
    case UInt8(ascii: "\t"): bytes.append(contentsOf: #"\t"#.utf8)
    case 0..<0x20:
      bytes.append(contentsOf: (byte < 0x10 ? #"\u000"# : #"\u001"#).utf8)
      let digit = byte & 0x0F
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    default: bytes.append(byte)
    }
  }
}

extension JSONWriter {
  /// Writes a member with text, or `null`.
  public mutating func member(_ key: String, _ value: String?) {
    self.key(key)
    if let value { string(value) } else { null() }
  }

  /// Writes a member with a number, or `null`.
  public mutating func member(_ key: String, _ value: Double?) {
    self.key(key)
    if let value { number(value) } else { null() }
  }

  /// Writes a member with a whole number.
  public mutating func member(_ key: String, _ value: some FixedWidthInteger) {
    self.key(key)
    integer(value)
  }

  /// Writes a member with a switch.
  public mutating func member(_ key: String, _ value: Bool) {
    self.key(key)
    bool(value)
  }

  /// Writes a member with an array of texts.
  public mutating func member(_ key: String, _ values: [String]) {
    self.key(key)
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  /// Writes a member with an array of objects, one an item; `body` writes its members.
  public mutating func objects<Item>(_ key: String, _ items: [Item], _ body: (inout JSONWriter, Item) -> Void) {
    self.key(key)
    beginArray()
    for item in items {
      beginObject()
      body(&self, item)
      endObject()
    }
    endArray()
  }
}
