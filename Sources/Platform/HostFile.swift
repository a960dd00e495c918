import CLinux
import Glibc
public import Telemetry

/// A pseudo-file that is read again and again: its descriptor stays open, its buffer is reused, no stat is made.
///
/// Procfs and sysfs make their text anew on each read from offset 0. Not for use by two threads at once.
public final class HostFile {
  /// The path as the host would name it, without the root prefix: what messages show.
  public let path: String
  private let realPath: String
  private let limit: Int
  private var descriptor: Int32 = -1
  /// Empty until the first read: many files are looked for and few are there.
  private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  init(path: String, realPath: String, limit: Int) {
    self.path = path
    self.realPath = realPath
    self.limit = limit
  }

  deinit {
    close()
    buffer.deallocate()
  }

  /// Closes the descriptor; the next read opens it again. For devices that were unplugged.
  public func close() {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Reads the whole file and gives it to `body`.
  ///
  /// - Throws: `absent` when it is not there (any more), `io` for other failures, `malformed` when it is larger than the limit;
  ///   or what `body` throws.
  public func read<Result>(
    _ body: (inout ByteScanner) throws(SensorError) -> Result
  ) throws(SensorError) -> Result {
    let count = try fill()
    guard let base = buffer.baseAddress else { throw .io(path: path, errno: ENOMEM) }
    var scanner = ByteScanner(base: base.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(&scanner)
  }

  /// The single whole number in the file, or nil when it holds none: most of sysfs.
  public func integer() throws(SensorError) -> Int64? {
    try read { (text) throws(SensorError) in text.signed() }
  }

  /// The first line without trailing blanks.
  public func line() throws(SensorError) -> String {
    try read { (text) throws(SensorError) in text.restOfLine() }
  }

  private func fill() throws(SensorError) -> Int {
    if descriptor < 0 {
      let opened = godwit_open_read(realPath)
      guard opened >= 0 else { throw failure(-opened) }
      descriptor = opened
    }
    var count = 0
    while true {
      if count == buffer.count {
        try grow()
        // The attribute is made anew by each read: two halves need not fit together.
        if isAttribute { count = 0 }
      }
      let got = pread(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(count))
      if got < 0 {
        let code = errno
        if code == EINTR { continue }
        // A device that went away answers ENODEV for ever on the old descriptor: open anew next time.
        close()
        throw failure(code)
      }
      if got == 0 { return count }
      count += got
      // A sysfs attribute arrives whole; seq files need the read that answers 0.
      if isAttribute, count < buffer.count { return count }
    }
  }

  private func failure(_ code: Int32) -> SensorError {
    switch code {
    case ENOENT, ENODEV, ENXIO, ENOTDIR: .absent(path)
    default: .io(path: path, errno: code)
    }
  }

  /// Text of sysfs, a page at most, as long as it is not read to be more.
  private var isAttribute: Bool { buffer.count <= 4096 && path.hasPrefix("/sys/") }

  private func grow() throws(SensorError) {
    guard buffer.count < limit else { throw .malformed(path: path, what: "larger than \(limit) bytes") }
    // Most of sysfs is one number, most of procfs a page or less.
    let size = buffer.count > 0 ? buffer.count * 4 : path.hasPrefix("/sys/") ? 64 : 1_024
    // Raw memory rather than an array: pread fills it in place and it is never initialised twice.
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, limit), alignment: 16)
    if buffer.count > 0 { larger.copyMemory(from: UnsafeRawBufferPointer(buffer)) }
    buffer.deallocate()
    buffer = larger
  }
}
