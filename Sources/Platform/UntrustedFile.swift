import CLinux
import Glibc
public import Telemetry

extension Host {
  /// Reads a whole file that anybody may have put there: only an ordinary file, through no link, without waiting for anyone.
  ///
  /// - Returns: its bytes and how long ago it was written, milliseconds; negative when the clock was set back since.
  /// - Throws: `absent`; `malformed` when it is none of these or longer than `limit` bytes; `io`.
  public func untrustedFile(_ path: String, limit: Int) throws(SensorError) -> (bytes: [UInt8], ageMilliseconds: Int64) {
    let descriptor = open(root + path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      let code = errno
      switch code {
      case ENOENT, ENOTDIR: throw .absent(path)
      case ELOOP, ENXIO: throw .malformed(path: path, what: "no ordinary file")
      default: throw .io(path: path, errno: code)
      }
    }
    defer { close(descriptor) }
    guard let status = FileStatus(descriptor: descriptor), status.isFile else {
      throw .malformed(path: path, what: "no ordinary file")
    }
    guard status.size <= Int64(limit) else { throw .malformed(path: path, what: "larger than \(limit) bytes") }
    // It may grow while it is read.
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
      }
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        throw .io(path: path, errno: errno)
      }
      count += got
    }
    guard count <= limit else { throw .malformed(path: path, what: "larger than \(limit) bytes") }
    bytes.removeLast(bytes.count - count)
    return (bytes, calls.fileAge(path, modifiedMilliseconds: status.modifiedMilliseconds))
  }
}
