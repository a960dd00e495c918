import CZlib

/// Raw deflate (RFC 1951) of one column at a time, with one state for all of them.
final class Deflater {
  // zlib keeps a pointer back to the stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let isReady: Bool

  init(level: Int32 = CodecChoice.deflateLevel, strategy: Int32 = CodecChoice.deflateStrategy) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    isReady = godwit_deflate_init(stream, level, strategy) == Z_OK
  }

  deinit {
    if isReady { deflateEnd(stream) }
    stream.deallocate()
  }

  /// Appends the deflated bytes to `output` when they take at most `limit` bytes; says whether it did.
  func deflate(_ input: [UInt8], to output: inout [UInt8], atMost limit: Int) -> Bool {
    guard isReady, limit > 0, deflateReset(stream) == Z_OK else { return false }
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: limit))
    let code = input.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        stream.pointee.avail_in = UInt32(source.count)
        stream.pointee.next_out = target.baseAddress.map { $0 + start }
        stream.pointee.avail_out = UInt32(limit)
        return CZlib.deflate(stream, Z_FINISH)
      }
    }
    let left = code == Z_STREAM_END ? Int(stream.pointee.avail_out) : limit
    output.removeLast(left)
    return code == Z_STREAM_END
  }
}

/// The way back.
final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>
  private let isReady: Bool

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    isReady = godwit_inflate_init(stream) == Z_OK
  }

  deinit {
    if isReady { inflateEnd(stream) }
    stream.deallocate()
  }

  /// Fills `output` with exactly `count` bytes; false when the input gives fewer or more, or is damaged.
  func inflate(_ input: UnsafeRawBufferPointer, count: Int, to output: inout [UInt8]) -> Bool {
    guard isReady, inflateReset(stream) == Z_OK else { return false }
    if output.count != count { output = [UInt8](repeating: 0, count: count) }
    let code = output.withUnsafeMutableBufferPointer { target in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
      stream.pointee.avail_in = UInt32(clamping: input.count)
      stream.pointee.next_out = target.baseAddress
      stream.pointee.avail_out = UInt32(clamping: count)
      return CZlib.inflate(stream, Z_FINISH)
    }
    return code == Z_STREAM_END && stream.pointee.avail_out == 0 && stream.pointee.avail_in == 0
  }
}

/// CRC-32 as in zlib and Ethernet (polynomial 0x04C11DB7, reflected): finds every burst of up to 32 bits.
enum Checksum {
  /// `after` is the checksum of the bytes before these.
  static func of(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
    let typed = bytes.bindMemory(to: UInt8.self)
    // Nothing at no address would ask for the first value.
    guard let start = typed.baseAddress else { return before }
    return UInt32(truncatingIfNeeded: crc32(UInt(before), start, UInt32(clamping: typed.count)))
  }

  static func of(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    bytes.withUnsafeBytes { of(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}

/// What was measured to be the best for a day of 130 series: see `StorageBench`.
enum CodecChoice {
  static let deflateLevel: Int32 = 1
  static let deflateStrategy: Int32 = Z_DEFAULT_STRATEGY
}
