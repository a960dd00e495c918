import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The running kernel's sockets, beside what others say of them.
@Suite struct ConnectionsTests {
  /// Sockets of this process: listeners at ports that nobody else has, and connections to them.
  final class Sockets {
    private var descriptors: [Int32] = []
    private(set) var port: UInt16 = 0

    private static func address(_ port: UInt16) -> sockaddr_in {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      return address
    }

    private static func with<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
      var address = address(port)
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
    }

    /// Listens at a port of the kernel's choice, of 127.0.0.1.
    init() throws {
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      descriptors.append(listener)
      try #require(Self.with(0) { bind(listener, $0, $1) } == 0)
      try #require(listen(listener, 16) == 0)
      var bound = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &bound) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
      }
      try #require(result == 0)
      port = UInt16(bigEndian: bound.sin_port)
    }

    /// Connects to itself, and accepts that: client and server.
    func connection() throws -> (client: Int32, server: Int32) {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      descriptors.append(client)
      try #require(Self.with(port) { connect(client, $0, $1) } == 0)
      let server = accept(descriptors[0], nil, nil)
      try #require(server >= 0)
      descriptors.append(server)
      return (client, server)
    }

    deinit { for descriptor in descriptors { Glibc.close(descriptor) } }
  }

  /// The sockets at a port, either side.
  static func mine(_ port: UInt16) throws -> [InternetSocket] {
    var found: [InternetSocket] = []
    try LinuxCalls().netlink(InternetSocket.request(.tcp, .ipv4, withFigures: true)) { (content) throws(SensorError) in
      guard let socket = InternetSocket(content) else { throw .malformed(path: "socket", what: "cut") }
      if socket.port == port || content.port(at: 6) == port { found.append(socket) }
    }
    return found
  }

  @Test func theKernelTellsTheSocketsOfThisProcess() throws {
    let sockets = try Sockets()
    let first = try sockets.connection()
    _ = try sockets.connection()
    let sent = [UInt8](repeating: 7, count: 1000)
    try #require(send(first.client, sent, sent.count, 0) == sent.count)
    let found = try Self.mine(sockets.port)
    #expect(found.filter { $0.state == InternetSocket.State.listen }.count == 1)
    #expect(found.filter { $0.state == InternetSocket.State.established }.count == 4, "two connections have two ends each")
    #expect(found.allSatisfy { $0.isLocal })
    #expect(Set(found.map(\.cookie)).count == found.count)
    // Nothing reads them at the server's end.
    #expect(found.filter { $0.receiveQueue == 1000 }.count == 1)
    #expect(found.filter { $0.figures?.bytesReceived == 1000 }.count == 1)
    let listener = try #require(found.first { $0.state == InternetSocket.State.listen })
    #expect(listener.receiveQueue == 0 && listener.sendQueue == 16, "nobody waits, there is room for 16")
  }

  @Test func aSocketsOwnerIsFound() throws {
    let sockets = try Sockets()
    let inode = try #require(try Self.mine(sockets.port).first).inode
    var owners = SocketOwners(host: Host())
    owners.learn([inode, 4_294_967_295])
    let name = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(owners[inode] == name)
    #expect(owners[4_294_967_295] == nil)
    owners.learn([])
    #expect(owners[inode] == nil, "forgotten with its socket")
  }

  @Test func theOwnerOfThousandsOfSocketsIsFoundForEach() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent("proc/812/fd")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("broker\n".utf8).write(to: root.appendingPathComponent("proc/812/comm"))
    let inodes = UInt32(70_001)...75_000
    for inode in inodes {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/\(inode - 70_000)", withDestinationPath: "socket:[\(inode)]")
    }
    for (name, target) in [("9001", "/dev/null"), ("9002", "pipe:[70001]"), ("9003", "socket:[99999999999]")] {
      try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
    }
    var owners = SocketOwners(host: Host(root: root.path))
    owners.learn(Set(inodes))
    #expect(inodes.allSatisfy { owners[$0] == "broker" })
  }

  /// `ss` with a filter of its own reads the same sockets by another program; the port is this test's alone.
  @Test func ssCountsTheSameStates() throws {
    let sockets = try Sockets()
    for _ in 0..<5 { _ = try sockets.connection() }
    let half = try sockets.connection()
    // The other end is in FIN_WAIT2 while this one is in CLOSE_WAIT.
    try #require(shutdown(half.client, Int32(SHUT_WR)) == 0)
    let filter = "( sport = :\(sockets.port) or dport = :\(sockets.port) )"
    let tools = ["/usr/bin/ss", "/usr/sbin/ss", "/bin/ss", "/sbin/ss"]
    guard let tool = tools.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      print("skipped: there is no ss here")
      return
    }
    // The shutdown takes its way through the loopback interface.
    var own: [String: Int] = [:]
    for _ in 0..<100 {
      own = Dictionary(try Self.mine(sockets.port).map { (TCPStates.names[Int($0.state) - 1], 1) }, uniquingKeysWith: +)
      if own["close_wait"] == 1, own["fin_wait2"] == 1 { break }
      usleep(20_000)
    }
    let outcome = try Subprocess.run(tool, ["-Htan4", filter], timeoutMilliseconds: 10_000, outputBytes: 1 << 20)
    let names = [
      "ESTAB": "established", "LISTEN": "listen", "CLOSE-WAIT": "close_wait", "FIN-WAIT-2": "fin_wait2", "TIME-WAIT": "time_wait",
    ]
    let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
    let states = lines.compactMap { $0.split(separator: " ").first }.map { (names[String($0)] ?? String($0), 1) }
    #expect(own == Dictionary(states, uniquingKeysWith: +))
    #expect(own == ["listen": 1, "established": 10, "close_wait": 1, "fin_wait2": 1])
  }

  /// /proc/net/tcp is made by other code of the kernel. Both are read until nothing else on the machine changed in between.
  @Test func procCountsTheSameStates() throws {
    let sockets = try Sockets()
    _ = try sockets.connection()
    for attempt in 1...50 {
      var counts = [Int](repeating: 0, count: TCPStates.names.count)
      try Host().file("/proc/net/tcp", limit: 1 << 24).read { (text) throws(SensorError) in
        try TCPStates.count(&text, path: "tcp", into: &counts)
      }
      var tally = ConnectionTally(earlier: [:], withLocal: true)
      try LinuxCalls().netlink(InternetSocket.request(.tcp, .ipv4, withFigures: false)) { (content) throws(SensorError) in
        if let socket = InternetSocket(content) { _ = tally.add(tcp: socket) }
      }
      if tally.states == counts {
        #expect(counts[0] >= 2 && counts[9] >= 1)
        return
      }
      #expect(attempt < 50, "\(tally.states) and \(counts) never were the same")
      usleep(20_000)
    }
  }

  @Test func roundTripsAreRanked() {
    var tally = ConnectionTally(earlier: [:], withLocal: true)
    #expect(tally.roundTrip(percentiles: [50, 95]) == [nil, nil])
    // Nearest rank: of 1…20 ms, half have at most 10 and 95 % at most 19.
    for milliseconds in (1...20).shuffled() {
      _ = tally.add(tcp: Self.established(roundTrip: UInt32(milliseconds * 1000), cookie: UInt32(milliseconds)))
    }
    #expect(tally.roundTrip(percentiles: [50, 95, 100, 0]) == [10, 19, 20, 1])
  }

  @Test func onlyGrowthCounts() {
    var first = ConnectionTally(earlier: [:], withLocal: true)
    _ = first.add(tcp: Self.established(received: 500, cookie: 1))
    _ = first.add(tcp: Self.established(received: 70, cookie: 2))
    var second = ConnectionTally(earlier: first.counts, withLocal: true)
    #expect(second.add(tcp: Self.established(received: 520, cookie: 1)).received == 20)
    #expect(second.add(tcp: Self.established(received: 60, cookie: 2)).received == 0, "fell")
    #expect(second.add(tcp: Self.established(received: 9, cookie: 3)).received == 9, "began since")
    #expect(second.growth.received == 29)
  }

  /// An established socket as the kernel tells it.
  private static func established(roundTrip: UInt32 = 1, received: UInt64 = 0, cookie: UInt32) -> InternetSocket {
    var figures = [UInt8](repeating: 0, count: 136)
    figures.replaceSubrange(68..<72, with: NetlinkRequest.bytes(roundTrip))
    figures.replaceSubrange(128..<136, with: NetlinkRequest.bytes(received))
    var message = [UInt8](repeating: 0, count: 72)
    message[0] = 2
    message[1] = 1
    message.replaceSubrange(44..<48, with: NetlinkRequest.bytes(cookie))
    guard let socket = InternetSocket(NetlinkBytes(message + NetlinkRequest.attribute(2, figures))) else {
      preconditionFailure("a whole message is a socket")
    }
    return socket
  }
}
