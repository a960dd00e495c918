/// Walks over marshalled values by their signature: D-Bus Specification 0.43, "Marshaling (Wire Format)".
///
/// ```
/// y 1 byte     n q 2 bytes    i u b h 4 bytes    x t d 8 bytes        each aligned to its size
///
///  0        4                  4+n                1       1+n
/// ┌────────┬─────────────┬───┐              ┌────┬─────────┬───┐
/// │length n│ text        │ 0 │  s o         │ n  │signature│ 0 │  g
/// └────────┴─────────────┴───┘              └────┴─────────┴───┘
/// ┌────────┬─────────┬──────────────┐       ┌────┬─────────┬───┬─────────┬───────┐
/// │length n│ padding │ n bytes      │  a    │ n  │signature│ 0 │ padding │ value │  v
/// └────────┴─────────┴──────────────┘       └────┴─────────┴───┴─────────┴───────┘
/// ( ) and { } are aligned to 8, and hold their members one after another.
/// ```
///
/// The padding of an array is not part of its length, and is there for an empty one too. Signatures lie in the same bytes as the values.
struct DBusCursor {
  let bytes: [UInt8]
  let isBigEndian: Bool
  /// Where the type of the next value begins.
  var type: Int
  /// Where the next value begins, or the padding before it.
  var offset: Int

  /// The bytes that a value of a type is aligned to; 0 when there is no such type.
  static func alignment(_ code: UInt8) -> Int {
    switch code {
    case UInt8(ascii: "y"), UInt8(ascii: "g"), UInt8(ascii: "v"): 1
    case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
    case UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "b"), UInt8(ascii: "h"): 4
    case UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "a"): 4
    case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
    default: 0
    }
  }

  /// The bytes that each value of a type takes; 0 when they differ.
  static func size(_ code: UInt8) -> Int {
    switch code {
    case UInt8(ascii: "g"), UInt8(ascii: "v"), UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "a"), UInt8(ascii: "("),
      UInt8(ascii: "{"):
      0
    default: alignment(code)
    }
  }

  /// The type code of the next value; 0 at the end of the bytes.
  var code: UInt8 { type < bytes.count ? bytes[type] : 0 }

  mutating func align(_ boundary: Int) { offset = (offset + boundary - 1) & -boundary }

  /// Takes a number of 1, 2, 4 or 8 bytes, aligned.
  mutating func unsigned(_ size: Int) -> UInt64? {
    align(size)
    guard offset + size <= bytes.count else { return nil }
    var value: UInt64 = 0
    for index in 0..<size { value = value << 8 | UInt64(bytes[isBigEndian ? offset + index : offset + size - 1 - index]) }
    offset += size
    return value
  }

  /// Takes the length of an array with the padding behind it, and gives where the array ends; its element's type is next.
  mutating func enterArray() -> Int? {
    guard let length = unsigned(4) else { return nil }
    type += 1
    let alignment = Self.alignment(code)
    guard alignment > 0 else { return nil }
    align(alignment)
    guard Int(length) <= bytes.count - offset else { return nil }
    return offset + Int(length)
  }

  /// Takes a variant's signature; the type of its value is next. Gives where that type must end.
  mutating func enterVariant() -> Int? {
    guard let length = unsigned(1), length > 0, offset + Int(length) < bytes.count else { return nil }
    type = offset
    offset += Int(length) + 1
    return bytes[offset - 1] == 0 ? type + Int(length) : nil
  }

  /// Steps over the next value and its type; false when it is not as the specification wants it, or deeper than `depth`.
  mutating func skip(depth: Int = PlatformLimits.dbusDepth) -> Bool {
    let code = code
    let size = Self.size(code)
    if size > 0 {
      guard let value = unsigned(size), code != UInt8(ascii: "b") || value <= 1 else { return false }
      type += 1
      return true
    }
    switch code {
    case UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "g"):
      guard let length = unsigned(code == UInt8(ascii: "g") ? 1 : 4), Int(length) < bytes.count - offset else { return false }
      offset += Int(length) + 1
      type += 1
      return bytes[offset - 1] == 0
    case UInt8(ascii: "a"): return depth > 0 && skipArray(depth: depth - 1)
    case UInt8(ascii: "("):
      align(8)
      return depth > 0 && skipMembers(depth: depth - 1, until: UInt8(ascii: ")")) > 0
    case UInt8(ascii: "v"):
      let next = type + 1
      guard depth > 0, let end = enterVariant(), skip(depth: depth - 1), type == end else { return false }
      type = next
      return true
    default: return false
    }
  }

  /// Steps over members and the bracket behind them, and gives how many there were; 0 when they are malformed.
  private mutating func skipMembers(depth: Int, until bracket: UInt8) -> Int {
    type += 1
    var count = 0
    while code != bracket {
      guard skip(depth: depth) else { return 0 }
      count += 1
    }
    type += 1
    return count
  }

  private mutating func skipArray(depth: Int) -> Bool {
    guard let end = enterArray() else { return false }
    let element = type
    guard offset < end else { return skipType(depth: depth) }
    let size = Self.size(code)
    if size > 0, code != UInt8(ascii: "b") {
      guard (end - offset).isMultiple(of: size) else { return false }
      (offset, type) = (end, element + 1)
      return true
    }
    while offset < end {
      type = element
      if code == UInt8(ascii: "{") {
        guard depth > 0, skipEntry(depth: depth - 1) else { return false }
      } else if !skip(depth: depth) {
        return false
      }
    }
    return offset == end
  }

  /// Steps over an entry of a dictionary: two members, of which the first has no members itself.
  mutating func skipEntry(depth: Int) -> Bool {
    let key = type + 1 < bytes.count ? bytes[type + 1] : 0
    let isPlain = Self.size(key) > 0 || key == UInt8(ascii: "s") || key == UInt8(ascii: "o") || key == UInt8(ascii: "g")
    align(8)
    return isPlain && skipMembers(depth: depth, until: UInt8(ascii: "}")) == 2
  }

  /// Steps over the next type, of which there is no value.
  mutating func skipType(depth: Int) -> Bool {
    switch code {
    case UInt8(ascii: "a"):
      type += 1
      return depth > 0 && skipType(depth: depth - 1)
    case UInt8(ascii: "("), UInt8(ascii: "{"):
      let bracket = code == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
      type += 1
      while code != bracket {
        guard depth > 0, skipType(depth: depth - 1) else { return false }
      }
      type += 1
      return true
    default:
      guard Self.alignment(code) > 0 else { return false }
      type += 1
      return true
    }
  }
}
