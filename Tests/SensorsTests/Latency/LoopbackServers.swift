import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// Servers on 127.0.0.1 at ports that the kernel picks.
final class LoopbackServer: Sendable {
  let port: UInt16
  private let listener: Int32

  private static func open(_ type: Int32, port: UInt16) throws -> (Int32, UInt16) {
    let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
      let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0 ? 0 : errno
    }
    try #require(result == 0, "no port on the loopback: \(result)")
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// A port where nobody listens.
  static func closedPort() throws -> UInt16 {
    let (descriptor, port) = try open(Int32(SOCK_STREAM.rawValue), port: 0)
    close(descriptor)
    return port
  }

  /// Takes TCP connections; each is read once, given to `answer`, and kept open for ever when that says nil.
  init(port: UInt16 = 0, _ answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]?) throws {
    (listener, self.port) = try Self.open(Int32(SOCK_STREAM.rawValue), port: port)
    try #require(listen(listener, 16) == 0)
    let listener = listener
    Foundation.Thread.detachNewThread {
      defer { close(listener) }
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection, &bytes, bytes.count, 0)
        guard let pieces = answer(Array(bytes[0..<max(count, 0)])) else { continue }
        for piece in pieces { _ = send(connection, piece, piece.count, Int32(MSG_NOSIGNAL)) }
        shutdown(connection, Int32(SHUT_WR))
        // Closing with something unread would reset the connection, and the answer with it.
        while recv(connection, &bytes, bytes.count, 0) > 0 {}
        close(connection)
      }
    }
  }

  /// Takes UDP packets and answers each with some.
  static func packets(_ answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws -> LoopbackServer {
    let server = try LoopbackServer(opened: open(Int32(SOCK_DGRAM.rawValue), port: 0))
    let listener = server.listener
    Foundation.Thread.detachNewThread {
      defer { close(listener) }
      var bytes = [UInt8](repeating: 0, count: 4096)
      var from = sockaddr_storage()
      while true {
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isOver = withUnsafeMutableBytes(of: &from) { address -> Bool in
          let pointer = address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
          let count = recvfrom(listener, &bytes, bytes.count, 0, pointer, &size)
          guard count > 0 else { return true }
          for packet in answer(Array(bytes[0..<count])) { _ = sendto(listener, packet, packet.count, 0, pointer, size) }
          return false
        }
        if isOver { return }
      }
    }
    return server
  }

  private init(opened: (Int32, UInt16)) { (listener, port) = opened }

  deinit {
    // Ends the thread, which closes it: its number must not become another socket's while that still waits.
    shutdown(listener, Int32(SHUT_RDWR))
  }
}

/// A program that serves until it is dropped, in a folder of its own.
final class ServerProgram {
  let folder: URL
  private let process = Process()

  /// Nil, with a line that says so, when the program is not there.
  init?(_ name: String, files: (URL) throws -> Void = { _ in }, arguments: (URL) -> [String]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-server-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let places = ["/usr/bin/", "/usr/sbin/", "/bin/", "/usr/local/bin/", "/usr/local/sbin/"]
    guard let path = places.map({ $0 + name }).first(where: FileManager.default.isExecutableFile) else {
      print("skipped: \(name) is not installed")
      return nil
    }
    try files(folder)
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments(folder)
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    // s_server ends with its input.
    process.standardInput = Pipe()
    try process.run()
  }

  deinit {
    // Nothing of it is worth waiting for.
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Runs a program to its end.
  static func run(_ path: String, _ arguments: [String]) throws {
    let outcome = try Subprocess.run(path, arguments, timeoutMilliseconds: 60_000, outputBytes: 4096)
    try #require(outcome.end == .exited(0), "\(path): \(String(decoding: outcome.errors, as: UTF8.self))")
  }
}

extension LatencyTarget {
  /// A target as a profile would give it, with a time-out that a slow machine keeps.
  static func made(_ kind: String, _ given: [String: SettingValue]) throws -> LatencyTarget {
    var values = given
    if values["name"] == nil { values["name"] = .text(kind) }
    values["kind"] = .text(kind)
    if kind != "dns", kind != "http", values["host"] == nil { values["host"] = .text("127.0.0.1") }
    if values["timeout"] == nil { values["timeout"] = .milliseconds(10_000) }
    var faults: [SettingFault] = []
    let target = LatencyTarget(Settings(specs, values), at: 0, &faults)
    try #require(faults.isEmpty, "\(faults)")
    return target
  }
}

/// Waits until something holds, at most 20 s.
func holdsSoon(_ condition: () -> Bool) -> Bool {
  for _ in 0..<2_000 {
    if condition() { return true }
    Platform.Thread.sleep(milliseconds: 10)
  }
  return false
}
