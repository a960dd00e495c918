public import Telemetry

/// A read or a write on its way: when it was handed to a block device's driver, or when the driver was done with it.
public struct BlockRequest: Hashable, Sendable {
  /// CLOCK_MONOTONIC.
  public var nanoseconds: UInt64
  /// The device's number as the kernel has it: the major number shifted by 20, and the minor one.
  public var device: UInt32
  /// Where it begins, in sectors of 512 bytes.
  public var sector: UInt64
  /// Whether it writes.
  public var isWrite: Bool
  /// Whether the driver is done with it.
  public var isDone: Bool

  /// States a request.
  public init(nanoseconds: UInt64, device: UInt32, sector: UInt64, isWrite: Bool, isDone: Bool) {
    (self.nanoseconds, self.device, self.sector, self.isWrite, self.isDone) = (nanoseconds, device, sector, isWrite, isDone)
  }
}

/// The kernel's account of the requests to block devices since it was opened. It ends when the last reference goes.
public protocol BlockTrace: AnyObject {
  /// Takes what was recorded since the last call, in no order.
  ///
  /// - Returns: how many records were lost for want of room, and whether nothing is missing: neither those, nor what came while the
  ///   kernel did not record.
  /// - Throws: when the kernel no longer records, and cannot be made to.
  func take(into requests: inout [BlockRequest]) throws(SensorError) -> (lost: UInt64, isComplete: Bool)
}

/// What a request does, by the letters of `rwbs` (blk_fill_rwbs in kernel/trace/blktrace.c): an `F` that flushes before, then what it is.
///
/// - Returns: whether it writes; nil for flushes, discards and others that move no data.
func isWrite(rwbs letters: ArraySlice<UInt8>) -> Bool? {
  let first = letters.first == UInt8(ascii: "F") ? letters.dropFirst().first : letters.first
  switch first {
  case UInt8(ascii: "R"): return false
  case UInt8(ascii: "W"): return true
  default: return nil
  }
}

extension RecordedCalls {
  /// From `block-trace`, as in `RecordedBlockTrace`.
  public func blockTrace() throws(SensorError) -> any BlockTrace {
    let file = recorded("/block-trace")
    let isBarred = try file.read { (text) throws(SensorError) in text.skip(byte: 0x21) }
    guard !isBarred else { throw LinuxBlockTrace.barred }
    return RecordedBlockTrace(file)
  }
}

/// A file of what was recorded before each sample, a line each; `!` alone is a kernel that does not let.
///
/// ```
/// nanoseconds issue|complete major minor sector rwbs        40000 issue 8 0 2048 WS
/// lost records                                              lost 12
/// ```
private final class RecordedBlockTrace: BlockTrace {
  private let file: HostFile

  init(_ file: HostFile) { self.file = file }

  func take(into requests: inout [BlockRequest]) throws(SensorError) -> (lost: UInt64, isComplete: Bool) {
    var found: [BlockRequest] = []
    let lost = try? file.read { (text) throws(SensorError) in
      var lost: UInt64 = 0
      while !text.isAtEnd {
        if text.skip("lost") {
          lost += text.unsigned() ?? 0
        } else if let nanoseconds = text.unsigned() {
          let isDone = text.word() == "complete"
          if let major = text.unsigned(), let minor = text.unsigned(), let sector = text.unsigned(),
            let writes = isWrite(rwbs: Array(text.word().utf8)[...])
          {
            let device = UInt32(truncatingIfNeeded: major << 20 | minor)
            found.append(
              BlockRequest(nanoseconds: nanoseconds, device: device, sector: sector, isWrite: writes, isDone: isDone))
          }
        }
        text.skipLine()
      }
      return lost
    }
    requests += found
    return (lost ?? 0, lost == 0)
  }
}
