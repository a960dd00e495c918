import Glibc
import Telemetry

/// An ordinary file, read from its beginning to its end through a buffer.
final class FileSource {
  let path: String
  private let descriptor: Int32
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0

  /// - Throws: `absent`, `io`, `malformed` when it is no ordinary file.
  init(_ path: String, of host: Host) throws(SensorError) {
    self.path = path
    let descriptor = open(host.root + path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR ? .absent(path) : .io(path: path, errno: code)
    }
    guard FileStatus(descriptor: descriptor)?.isFile == true else {
      close(descriptor)
      throw .malformed(path: path, what: "no ordinary file")
    }
    self.descriptor = descriptor
    buffer = .allocate(byteCount: PlatformLimits.largeFileBuffer, alignment: 16)
  }

  deinit {
    buffer.deallocate()
    close(descriptor)
  }

  /// The bytes that were read and not taken yet; none only at the end of the file.
  func pending() throws(SensorError) -> UnsafeRawBufferPointer {
    if start == end { (start, end) = (0, try read(into: buffer)) }
    return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
  }

  /// Leaves out so many of the pending bytes.
  func skip(_ count: Int) { start = min(start + count, end) }

  /// Fills `target`; gives how much it got, less only at the end of the file.
  func take(_ target: UnsafeMutableRawBufferPointer) throws(SensorError) -> Int {
    var got = 0
    while got < target.count {
      let bytes = try pending()
      let count = min(bytes.count, target.count - got)
      if count == 0 { break }
      UnsafeMutableRawBufferPointer(rebasing: target[got...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      skip(count)
      got += count
    }
    return got
  }

  private func read(into target: UnsafeMutableRawBufferPointer) throws(SensorError) -> Int {
    while true {
      let got = Glibc.read(descriptor, target.baseAddress, target.count)
      if got >= 0 { return got }
      let code = errno
      if code != EINTR { throw .io(path: path, errno: code) }
    }
  }
}
