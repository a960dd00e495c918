import Foundation

/// Picks a port on 127.0.0.1 that is free now. It lies below the kernel's ephemeral range (32768 and up), so that no outgoing
/// connection takes it while the broker behind it is down.
func freeLoopbackPort() throws -> UInt16 {
  for _ in 0..<200 {
    let port = UInt16.random(in: 12_000..<30_000)
    if isFree(port) { return port }
  }
  throw ChildProcess.Failure(description: "no free loopback port")
}

private func isFree(_ port: UInt16) -> Bool {
  let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard socket >= 0 else { return false }
  defer { close(socket) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
