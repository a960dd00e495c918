import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// A thread whose sockets, and those of programs that it starts, are in a network of their own: unshare(2).
enum OwnNetwork {
  /// Null with an old C library.
  private static let unshare = dlsym(nil, "unshare").map {
    unsafeBitCast($0, to: (@convention(c) (Int32) -> Int32).self)
  }
  private static let newNetwork: Int32 = 0x4000_0000

  /// Whether this process may have one; prints a line when it may not.
  static let isAllowed: Bool = {
    if (try? run { true }) ?? false { return true }
    print("godwit: no network namespaces here (they need CAP_SYS_ADMIN): the comparison of sockets is skipped")
    return false
  }()

  /// Waits for what a thread in a new network comes to; nil when there is none.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value? {
    let box = Box<Value>()
    let isDone = DispatchSemaphore(value: 0)
    let isStarted = Platform.Thread.start(name: "own-network") {
      defer { isDone.signal() }
      guard let unshare, unshare(newNetwork) == 0 else { return }
      let result = Result { try body() }
      box.outcome.withLock { $0 = result }
    }
    guard isStarted else { return nil }
    isDone.wait()
    return try box.outcome.withLock { try $0?.get() }
  }

  private final class Box<Value: Sendable>: Sendable {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
  }
}

/// All sockets of a network that has no others than these, beside psutil.
@Suite struct ConnectionsLiveTests {
  struct Answer: Decodable, Equatable, Sendable {
    /// By state, by family, by port; only what there is.
    var tcp, udp, listening, reachable: [String: Double]
    /// Of the process that holds them.
    var sockets: Double
  }

  private static let name = "socket-holder"

  private static func psutil(_ id: Int32, _ python: String) throws -> Answer {
    let outcome = try Subprocess.run(
      python, [PSUtil.script("connections"), "count", "\(id)"], timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
    try #require(outcome.end == .exited(0), "\(String(decoding: outcome.errors, as: UTF8.self))")
    return try JSONDecoder().decode(Answer.self, from: Data(outcome.output))
  }

  /// What the sensor tells.
  private static func sensor() throws -> Answer {
    func values(local: Bool) throws -> [(metric: String, label: String, value: Double)] {
      let settings = Settings(ConnectionsSensor.kind.settings, ["local": .bool(local), "processes": .bool(true)])
      var readings = Readings()
      readings.begin(nanoseconds: SystemClock.bootMilliseconds * 1_000_000)
      var sensor = try ConnectionsSensor(context: SensorContext(host: Host()), settings: settings, readings: &readings)
      try sensor.sample(into: &readings)
      return zip(readings.series, readings.values).filter { !$0.1.isMissing && $0.1 > 0 }
        .map { ($0.0.metric.name, $0.0.labels.first?.value ?? "", $0.1) }
    }
    func table(_ metric: Metric, _ values: [(metric: String, label: String, value: Double)]) -> [String: Double] {
      Dictionary(uniqueKeysWithValues: values.filter { $0.metric == metric.name }.map { ($0.label, $0.value) })
    }
    let (all, reachable) = (try values(local: true), try values(local: false))
    return Answer(
      tcp: table(ConnectionMetrics.tcpSockets, all), udp: table(ConnectionMetrics.udpSockets, all),
      listening: table(ConnectionMetrics.listening, all), reachable: table(ConnectionMetrics.listening, reachable),
      sockets: table(ConnectionMetrics.processSockets, all)[name] ?? 0)
  }

  @Test(
    .enabled(if: PSUtil.interpreter != nil, "PyPI cannot be reached"), .enabled(if: OwnNetwork.isAllowed, "no namespaces"))
  func agreesWithAnIndependentReader() throws {
    let python = try #require(PSUtil.interpreter)
    let seen = try OwnNetwork.run { () throws -> (own: Answer, other: Answer) in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: python)
      process.arguments = [PSUtil.script("connections"), "hold", Self.name]
      let (input, output) = (Pipe(), Pipe())
      (process.standardInput, process.standardOutput) = (input, output)
      try process.run()
      defer {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      var said = Data()
      while said.last != UInt8(ascii: "\n") {
        let more = output.fileHandleForReading.availableData
        try #require(!more.isEmpty, "it ended before it was ready")
        said += more
      }
      // TIME_WAIT ends after a minute: psutil has to see the same before and after.
      var before = try Self.psutil(process.processIdentifier, python)
      for _ in 0..<20 {
        let own = try Self.sensor()
        let after = try Self.psutil(process.processIdentifier, python)
        if before == after { return (own, after) }
        before = after
      }
      Issue.record("the sockets never stood still")
      return (before, before)
    }
    let (own, other) = try #require(seen)
    #expect(own.tcp == other.tcp)
    #expect(own.udp == other.udp)
    #expect(own.listening == other.listening)
    #expect(own.reachable == other.reachable)
    #expect(own.sockets == other.sockets)
    // It was no empty network.
    #expect(other.tcp["syn_sent"] != nil && other.tcp["fin_wait2"] == 1 && other.tcp["close_wait"] == 1)
    #expect(try #require(other.tcp["established"]) >= 8)
    #expect(other.reachable["8080/tcp"] == 1 && other.reachable["8081/tcp"] == nil && other.listening["8081/tcp"] == 1)
    #expect(other.reachable["5300/udp"] == 1)
  }
}
