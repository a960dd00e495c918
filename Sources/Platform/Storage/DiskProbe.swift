import CLinux
import Glibc
public import Telemetry

/// A small read or write whose time tells how storage does.
public struct DiskProbe: Hashable, Sendable {
  /// Read: a block device or a file. Write: a directory.
  public let path: String
  /// Whether a new file of one block is written, made durable and removed; else one block is read past the page cache.
  public let isWrite: Bool

  /// States a probe.
  public init(path: String, isWrite: Bool) { (self.path, self.isWrite) = (path, isWrite) }

  /// The name of the file that is written.
  static let fileName = ".godwit-probe"
}

extension LinuxCalls {
  /// By read(2) with O_DIRECT at a random place, or by write(2) and fsync(2).
  public func time(_ probe: DiskProbe) throws(SensorError) -> Int64 {
    var nanoseconds: Int64 = 0
    let result =
      probe.isWrite
      ? godwit_timed_write("\(probe.path)/\(DiskProbe.fileName)", UInt32(PlatformLimits.probeBytes), &nanoseconds)
      : godwit_timed_read(probe.path, UInt32(PlatformLimits.probeBytes), .random(in: 0...UInt64.max), &nanoseconds)
    if result == 0 { return nanoseconds }
    throw Self.failure(of: probe, -result)
  }

  static func failure(of probe: DiskProbe, _ code: Int32) -> SensorError {
    switch (code, probe.isWrite) {
    case (ENOENT, _), (ENOTDIR, _), (ENXIO, _), (ENODEV, _): .absent(probe.path)
    case (EACCES, _), (EPERM, _): .device(probe.path, what: "permission denied (docs/sensors/io.md)")
    case (EROFS, true): .device(probe.path, what: "the file system is read-only")
    case (EINVAL, false):
      .device(probe.path, what: "it is no block device or file that can be read past the page cache (O_DIRECT)")
    case (ENODATA, false): .device(probe.path, what: "it holds less than \(PlatformLimits.probeBytes) bytes")
    default: .io(path: probe.path, errno: code)
    }
  }
}

extension RecordedCalls {
  /// From `disk-probes`: a line a probe, `read|write path nanoseconds`, or `!` and the errno for the time; paths are written as in mountinfo.
  public func time(_ probe: DiskProbe) throws(SensorError) -> Int64 {
    try recorded("/disk-probes").read { (text) throws(SensorError) in
      while !text.isAtEnd {
        if (text.word() == "write") == probe.isWrite, unescapedOctal(text.word()) == probe.path {
          text.skipBlanks()
          let fails = text.skip(byte: 0x21)
          guard let number = text.signed() else { throw .malformed(path: "/disk-probes", what: "a probe needs a number") }
          guard !fails else { throw LinuxCalls.failure(of: probe, Int32(clamping: number)) }
          return number
        }
        text.skipLine()
      }
      throw .absent(probe.path)
    }
  }
}
