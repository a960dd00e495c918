import Glibc
import Telemetry

/// A frame of LZ4 (lz4_Frame_format.md), block by block. Checksums are passed over: what a disk changed is mostly found by the form.
///
/// ```
/// ┌───────┬─────┬────┬────────────────┬───────────┬────┬──────────────────────────────┬───┬────────────────────┐
/// │ magic │ FLG │ BD │ [content size] │ [dict id] │ HC │ size, block, [checksum] …    │ 0 │ [content checksum] │
/// │ 4     │ 1   │ 1  │ 8              │ 4         │ 1  │ 4    n      4                │ 4 │ 4                  │
/// └───────┴─────┴────┴────────────────┴───────────┴────┴──────────────────────────────┴───┴────────────────────┘
/// ```
final class LZ4Frame {
  /// How far back a copy may reach.
  private static let reach = 65_536

  private let source: FileSource
  private let largest: Int
  private let hasBlockChecksums: Bool
  /// What was unpacked last, then the block that is being read.
  private let window: UnsafeMutableRawBufferPointer
  private let packed: UnsafeMutableRawBufferPointer
  /// What is unpacked and not yet given.
  private var given = 0
  private var end = 0
  private var isOver = false

  /// Behind the magic number.
  init(_ source: FileSource) throws(SensorError) {
    self.source = source
    var descriptor: (flags: UInt8, block: UInt8) = (0, 0)
    let got = try withUnsafeMutableBytes(of: &descriptor) { (bytes) throws(SensorError) in try source.take(bytes) }
    let (flags, block) = descriptor
    // Version 01; a dictionary is somebody else's affair.
    guard got == 2, flags >> 6 == 1, flags & 1 == 0, (4...7).contains(block >> 4 & 7) else {
      throw .malformed(path: source.path, what: "a form of LZ4 that is not read")
    }
    // 64 KiB, 256 KiB, 1 MiB, 4 MiB.
    largest = 1 << (8 + 2 * Int(block >> 4 & 7))
    hasBlockChecksums = flags & 0x10 != 0
    window = .allocate(byteCount: Self.reach + largest, alignment: 16)
    packed = .allocate(byteCount: largest, alignment: 16)
    try pass(flags & 8 != 0 ? 9 : 1)
  }

  deinit {
    window.deallocate()
    packed.deallocate()
  }

  private func pass(_ count: Int) throws(SensorError) {
    let got = try source.take(UnsafeMutableRawBufferPointer(rebasing: packed[..<count]))
    guard got == count else { throw damaged }
  }

  private var damaged: SensorError { .malformed(path: source.path, what: "LZ4 that is damaged or breaks off") }

  /// Gives some of what is in the frame, nothing at its end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(SensorError) -> Int {
    while given == end {
      if isOver { return 0 }
      try unpackNext()
    }
    let count = min(target.count, end - given)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[given..<given + count]))
    given += count
    return count
  }

  private func unpackNext() throws(SensorError) {
    var size: UInt32 = 0
    let got = try withUnsafeMutableBytes(of: &size) { (bytes) throws(SensorError) in try source.take(bytes) }
    guard got == 4 else { throw damaged }
    size = UInt32(littleEndian: size)
    if size == 0 {
      isOver = true
      return
    }
    // The highest bit: the block is not packed.
    let isPlain = size >> 31 == 1
    let count = Int(size & 0x7FFF_FFFF)
    guard count <= largest else { throw damaged }
    keepReach()
    let block = UnsafeMutableRawBufferPointer(rebasing: packed[..<count])
    guard try source.take(block) == count else { throw damaged }
    if isPlain {
      UnsafeMutableRawBufferPointer(rebasing: window[end...]).copyMemory(from: UnsafeRawBufferPointer(block))
      end += count
    } else {
      let room = UnsafeMutableRawBufferPointer(rebasing: window[..<(end + largest)])
      guard let new = LZ4Block.unpack(UnsafeRawBufferPointer(block), into: room, from: end) else { throw damaged }
      end = new
    }
    if hasBlockChecksums { try pass(4) }
  }

  private func keepReach() {
    guard end > Self.reach, let start = window.baseAddress else { return }
    memmove(start, start + end - Self.reach, Self.reach)
    (given, end) = (Self.reach, Self.reach)
  }
}
