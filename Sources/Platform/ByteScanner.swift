/// A forward reader over the bytes of a host file. It borrows the file's buffer: it must not outlive the closure it is given in.
///
/// Unsafe because every kernel file is parsed with it once per tick, without a copy; each access is bounds-checked by `end`.
public struct ByteScanner {
  @usableFromInline let base: UnsafePointer<UInt8>
  @usableFromInline var position: Int
  @usableFromInline let end: Int

  @usableFromInline
  init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.position = 0
    self.end = count
  }

  /// Runs `body` over the UTF-8 of a text: how parsers are tested on captured files.
  public static func scan<Result, Failure: Error>(
    _ text: String, _ body: (inout ByteScanner) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try scan(bytes: Array(text.utf8), body)
  }

  /// Runs `body` over bytes.
  public static func scan<Result, Failure: Error>(
    bytes: [UInt8], _ body: (inout ByteScanner) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // One byte more, so that an empty text has an address too.
    let padded = bytes + [0]
    return try padded.withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
      guard let base = buffer.baseAddress else { preconditionFailure("a buffer of at least one byte has an address") }
      var scanner = ByteScanner(base: base, count: bytes.count)
      return try body(&scanner)
    }
  }

  /// Whether nothing is left.
  @inlinable
  public var isAtEnd: Bool { position >= end }

  /// How many bytes are left.
  @inlinable
  public var remaining: Int { end - position }

  /// The next byte, not consumed; nil at the end.
  @inlinable
  public var next: UInt8? { position < end ? base[position] : nil }

  /// Consumes blanks (space and tab).
  @inlinable
  public mutating func skipBlanks() {
    while position < end, base[position] == 0x20 || base[position] == 0x09 { position += 1 }
  }

  /// Consumes everything up to and including the next line feed.
  @inlinable
  public mutating func skipLine() {
    while position < end {
      position += 1
      if base[position - 1] == 0x0A { return }
    }
  }

  /// Whether the line is over: at a line feed or at the end.
  @inlinable
  public var isAtLineEnd: Bool { position >= end || base[position] == 0x0A }

  /// Consumes `text` if it comes next.
  @inlinable
  public mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard end - position >= count else { return false }
    for offset in 0..<count where base[position + offset] != text.utf8Start[offset] { return false }
    position += count
    return true
  }

  /// Consumes the byte if it comes next.
  @inlinable
  public mutating func skip(byte: UInt8) -> Bool {
    guard position < end, base[position] == byte else { return false }
    position += 1
    return true
  }

  /// Consumes blanks, then decimal digits; nil (nothing more consumed) if there is no digit. Saturates at UInt64.max.
  @inlinable
  public mutating func unsigned() -> UInt64? {
    skipBlanks()
    var value: UInt64 = 0
    let start = position
    while position < end {
      let digit = base[position] &- 0x30
      guard digit < 10 else { break }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
      value = tooLarge || carried ? .max : sum
      position += 1
    }
    return position > start ? value : nil
  }

  /// Consumes blanks, an optional sign and decimal digits; nil if there is no digit. Saturates.
  @inlinable
  public mutating func signed() -> Int64? {
    skipBlanks()
    let start = position
    let negative = skip(byte: 0x2D)
    if !negative { _ = skip(byte: 0x2B) }
    guard position < end, base[position] &- 0x30 < 10, let magnitude = unsigned() else {
      position = start
      return nil
    }
    let bounded = Int64(clamping: magnitude)
    return negative ? -bounded : bounded
  }

  /// Consumes blanks, then a decimal number with an optional fraction (no exponent); nil if there is none.
  @inlinable
  public mutating func decimal() -> Double? {
    skipBlanks()
    let start = position
    let negative = skip(byte: 0x2D)
    guard position < end, base[position] &- 0x30 < 10, let whole = unsigned() else {
      position = start
      return nil
    }
    var value = Double(whole)
    if position + 1 < end, base[position] == 0x2E, base[position + 1] &- 0x30 < 10 {
      position += 1
      var scale = 1.0
      var fraction = 0.0
      while position < end, base[position] &- 0x30 < 10 {
        if scale < 1e15 {
          fraction = fraction * 10 + Double(base[position] &- 0x30)
          scale *= 10
        }
        position += 1
      }
      value += fraction / scale
    }
    return negative ? -value : value
  }

  /// Consumes hexadecimal digits (no prefix); nil if there is none or more than 16.
  @inlinable
  public mutating func hexadecimal() -> UInt64? {
    var value: UInt64 = 0
    let start = position
    while position < end {
      let byte = base[position]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default:
        return position > start && position - start <= 16 ? value : nil
      }
      value = value << 4 | UInt64(digit)
      position += 1
    }
    return position > start && position - start <= 16 ? value : nil
  }

  /// Consumes blanks, then everything up to the next blank or line end; empty if there is nothing.
  @inlinable
  public mutating func word() -> String {
    skipBlanks()
    return text { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
  }

  /// Consumes up to, not including, `byte` or the line's end. Invalid UTF-8 is repaired.
  @inlinable
  public mutating func text(until byte: UInt8) -> String {
    text { $0 == byte || $0 == 0x0A }
  }

  /// Consumes the rest of the line, not the line feed, without trailing blanks.
  @inlinable
  public mutating func restOfLine() -> String {
    let start = position
    while position < end, base[position] != 0x0A { position += 1 }
    var last = position
    while last > start, base[last - 1] == 0x20 || base[last - 1] == 0x09 || base[last - 1] == 0x0D { last -= 1 }
    return String(decoding: UnsafeBufferPointer(start: base + start, count: last - start), as: UTF8.self)
  }

  /// Consumes all that is left, line feeds too. Invalid UTF-8 is repaired.
  public mutating func rest() -> String {
    text { _ in false }
  }

  /// Consumes bytes until `isEnd` holds of one; that one is left.
  @inlinable
  public mutating func text(until isEnd: (UInt8) -> Bool) -> String {
    let start = position
    while position < end, !isEnd(base[position]) { position += 1 }
    return String(decoding: UnsafeBufferPointer(start: base + start, count: position - start), as: UTF8.self)
  }

  /// Consumes bytes until `isEnd` holds of one, and returns how many: a look without a copy.
  @inlinable
  public mutating func skip(until isEnd: (UInt8) -> Bool) -> Int {
    let start = position
    while position < end, !isEnd(base[position]) { position += 1 }
    return position - start
  }

  /// Moves behind the last `byte` of what is left; false (nothing consumed) if it does not occur.
  @inlinable
  public mutating func skip(pastLast byte: UInt8) -> Bool {
    var candidate = end
    while candidate > position {
      candidate -= 1
      if base[candidate] == byte {
        position = candidate + 1
        return true
      }
    }
    return false
  }

  /// A hash of the bytes up to the next blank, colon or line end, not consumed: lets a parser of key-value files tell keys apart
  /// without making strings (FNV-1a, 64 bit).
  @inlinable
  public func keyHash() -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var index = position
    while index < end {
      let byte = base[index]
      if byte == 0x20 || byte == 0x3A || byte == 0x0A || byte == 0x09 { break }
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      index += 1
    }
    return hash
  }
}

/// The hash that `ByteScanner.keyHash` gives for a key.
public func keyHash(_ key: String) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  return hash
}
