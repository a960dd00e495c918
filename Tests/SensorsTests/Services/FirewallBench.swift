import Foundation
import Glibc
import Platform
import Testing

/// A network of its own for the rules of a test.
enum FirewallBench {
  /// Runs `body` while this thread has an empty network of its own, with a folder; not, with a line that says so, where that is not allowed.
  static func inOwnNetwork(_ body: (String) throws -> Void) throws {
    // Not in Swift's view of the C library.
    typealias Unshare = @convention(c) (Int32) -> Int32
    typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
    let unshare = unsafeBitCast(try #require(dlsym(nil, "unshare")), to: Unshare.self)
    let setNamespace = unsafeBitCast(try #require(dlsym(nil, "setns")), to: SetNamespace.self)
    let cloneNewNetwork: Int32 = 0x4000_0000
    let former = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    try #require(former >= 0)
    defer { close(former) }
    guard unshare(cloneNewNetwork) == 0 else {
      print("skipped: no network namespace (errno \(errno))")
      return
    }
    // The thread goes back to the others, which must find it as it was.
    defer { precondition(setNamespace(former, cloneNewNetwork) == 0) }
    let folder = NSTemporaryDirectory() + "godwit-firewall-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try body(folder)
  }

  static func load(_ rules: String, _ folder: String) throws -> Bool {
    try rules.write(toFile: folder + "/rules.nft", atomically: true, encoding: .utf8)
    return try ServicePeers.output("nft", ["-f", folder + "/rules.nft"]) != nil
  }

  /// Sends packets of 100 bytes to ports of the loopback.
  static func send(_ ports: [UInt16]) throws {
    _ = try ServicePeers.output("ip", ["link", "set", "lo", "up"])
    let address = try #require(NetworkAddress(bytes: [127, 0, 0, 1]))
    for port in ports {
      let socket = try DatagramSocket(to: address, port: port)
      try socket.send([UInt8](repeating: 0, count: 100))
    }
  }
}
