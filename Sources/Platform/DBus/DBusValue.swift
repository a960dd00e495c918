/// A value of a D-Bus message, as a view of the message's bytes: nothing is copied until a text is asked for. What holds a variant shows
/// the value in it.
///
/// The message was walked once as a whole before there is a value, so every access stays inside.
public struct DBusValue: Sendable {
  private let cursor: DBusCursor

  /// The value whose type and place are next; nil when the bytes are not as its type wants them.
  init?(_ cursor: DBusCursor) {
    var cursor = cursor
    // Bounded by the depth that the message was walked with.
    while cursor.code == UInt8(ascii: "v") {
      guard cursor.enterVariant() != nil else { return nil }
    }
    let alignment = DBusCursor.alignment(cursor.code)
    guard alignment > 0 else { return nil }
    cursor.align(alignment)
    self.cursor = cursor
  }

  /// Its number, without a sign: of `y`, `b`, `q`, `u`, `t` and `h`.
  public var unsigned: UInt64? {
    switch cursor.code {
    case UInt8(ascii: "y"), UInt8(ascii: "b"), UInt8(ascii: "q"), UInt8(ascii: "u"), UInt8(ascii: "t"), UInt8(ascii: "h"): raw
    default: nil
    }
  }

  /// Its number: of all types that have one.
  public var number: Double? {
    guard let raw else { return nil }
    switch cursor.code {
    case UInt8(ascii: "n"): return Double(Int16(truncatingIfNeeded: raw))
    case UInt8(ascii: "i"): return Double(Int32(truncatingIfNeeded: raw))
    case UInt8(ascii: "x"): return Double(Int64(bitPattern: raw))
    case UInt8(ascii: "d"): return Double(bitPattern: raw)
    default: return Double(raw)
    }
  }

  private var raw: UInt64? {
    let size = DBusCursor.size(cursor.code)
    var cursor = cursor
    return size > 0 ? cursor.unsigned(size) : nil
  }

  /// Where the bytes of its text lie; nil when it is none.
  private var textRange: Range<Int>? {
    var cursor = cursor
    let size = cursor.code == UInt8(ascii: "g") ? 1 : 4
    switch cursor.code {
    case UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "g"): break
    default: return nil
    }
    guard let length = cursor.unsigned(size), Int(length) < cursor.bytes.count - cursor.offset else { return nil }
    return cursor.offset..<cursor.offset + Int(length)
  }

  /// Where its types lie, when it is a signature.
  var signatureRange: Range<Int>? { cursor.code == UInt8(ascii: "g") ? textRange : nil }

  /// Its text, a path and a signature too. Invalid UTF-8 is repaired.
  public var text: String? { textRange.map { String(decoding: cursor.bytes[$0], as: UTF8.self) } }

  /// Its text, fit for a label: short, and without control characters.
  public var label: String? { text?.withoutControls(characters: PlatformLimits.dbusLabelCharacters) }

  /// Whether it is this text; makes no string.
  public func isText(_ text: StaticString) -> Bool {
    guard let range = textRange, range.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count where cursor.bytes[range.lowerBound + offset] != text.utf8Start[offset] { return false }
    return true
  }

  /// Its members one after another: elements of an array, entries of a dictionary (key, then value), fields of a structure. None of what
  /// has no members.
  public var items: DBusItems { DBusItems(cursor) }

  /// A member by its place; nil when there are not so many.
  public func item(_ index: Int) -> DBusValue? {
    var items = items
    for _ in 0..<max(index, 0) { _ = items.next() }
    return items.next()
  }

  /// What a dictionary holds under a text.
  public subscript(key: StaticString) -> DBusValue? {
    guard cursor.code == UInt8(ascii: "a") else { return nil }
    var entries = items
    while let entry = entries.next() {
      if entry.item(0)?.isText(key) == true { return entry.item(1) }
    }
    return nil
  }
}

/// Goes through the members of a value.
public struct DBusItems: Sequence, IteratorProtocol, Sendable {
  private var cursor: DBusCursor
  /// Of an array: where its elements end, and their type.
  private var end: Int?
  private var element = 0

  fileprivate init(_ cursor: DBusCursor) {
    self.cursor = cursor
    switch cursor.code {
    case UInt8(ascii: "a"):
      // Walked before; without an end there is nothing to go through.
      end = self.cursor.enterArray() ?? 0
      element = self.cursor.type
    case UInt8(ascii: "("), UInt8(ascii: "{"): self.cursor.type += 1
    default: end = 0
    }
  }

  /// The next member.
  public mutating func next() -> DBusValue? {
    if let end {
      guard cursor.offset < end else { return nil }
      cursor.type = element
    }
    guard let value = DBusValue(cursor) else { return nil }
    // An entry of a dictionary is a structure of two.
    let isEntry = cursor.code == UInt8(ascii: "{")
    guard isEntry ? cursor.skipEntry(depth: PlatformLimits.dbusDepth) : cursor.skip() else { return nil }
    return value
  }
}
