import Foundation

/// What systemd listens on: `$NOTIFY_SOCKET`, datagrams of lines, sd_notify(3).
final class NotifySocket {
  private let folder: TemporaryFolder
  private let descriptor: Int32
  private var received: [String] = []

  init() throws {
    folder = try TemporaryFolder()
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(folder.path(of: "notify").utf8)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw ChildProcess.Failure(description: "no datagram socket: errno \(errno)") }
  }

  deinit { close(descriptor) }

  var path: String { folder.path(of: "notify") }

  /// All lines so far.
  var lines: [String] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 else { break }
      received += String(decoding: bytes[0..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }
    return received
  }

  /// The lines that say what the service does.
  var states: [String] { lines.filter { ["READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1"].contains($0) } }
}
