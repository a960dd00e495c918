import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// The sensor with its thread, and the two ways to a target side by side.
@Suite struct LatencyEngineTests {
  private struct Counting: Prober {
    final class Calls: Sendable {
      let count = Atomic(0)
    }
    let calls: Calls

    func probe(_ target: LatencyTarget) -> ProbeAnswer {
      calls.count.add(1, ordering: .relaxed)
      return ProbeAnswer(milliseconds: 1)
    }

    func probe(_ target: LatencyTarget, hops: Int) -> HopAnswer { .silent }
  }

  @Test func theThreadProbesAndEndsWithItsSensor() throws {
    let targets = try (0..<3).map { index in
      try LatencyTarget.made("icmp", ["name": .text("t\(index)"), "host": .text("192.0.2.1"), "every": .milliseconds(1_000)])
    }
    weak var held: Counting.Calls?
    do {
      let calls = Counting.Calls()
      held = calls
      let engine = LatencyEngine(
        targets, prober: Counting(calls: calls), windowNanoseconds: 10_000_000_000, at: SystemClock.monotonicNanoseconds)
      try engine.start()
      #expect(holdsSoon { engine.states.allSatisfy { $0.sent > 0 } })
      #expect(engine.states.allSatisfy { $0.last?.milliseconds == 1 && $0.lost == 0 })
    }
    #expect(holdsSoon { held == nil }, "the thread goes on without its sensor")
  }

  /// At the service's bound of tasks.
  @Test func aProbeWithoutAThreadIsNoAnswer() throws {
    let isFull = Atomic(false)
    let target = try LatencyTarget.made("tcp", ["port": .integer(1), "every": .milliseconds(1_000), "trace": .bool(true)])
    let engine = LatencyEngine(
      [target], prober: Counting(calls: Counting.Calls()), windowNanoseconds: 10_000_000_000,
      at: SystemClock.monotonicNanoseconds)
    try engine.start { name, body in
      if name == "probe", isFull.load(ordering: .relaxed) { return false }
      return Platform.Thread.start(name: name, body)
    }
    #expect(holdsSoon { engine.states[0].last?.milliseconds == 1 })
    isFull.store(true, ordering: .relaxed)
    #expect(holdsSoon { engine.states[0].last?.isUnsent == true && engine.states[0].pathFault != nil })
    #expect(engine.states[0].last?.fault == "the kernel gives no thread for a probe")
    isFull.store(false, ordering: .relaxed)
    #expect(holdsSoon { engine.states[0].last?.milliseconds == 1 && engine.states[0].pathFault == nil })
  }

  /// The same target by the network and by a recording: the same answers, but for the time.
  @Test(arguments: [true, false]) func aRecordingAnswersAsTheNetworkDoes(isRecorded: Bool) throws {
    let server = try LoopbackServer { _ in [Array("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".utf8)] }
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-probes-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root.appendingPathComponent(".host"), withIntermediateDirectories: true)
    try """
    tcp 1 resolve=0 connect=1
    http 3 resolve=0 connect=1 first_byte=2 total=3 status=404 fault=the\\040status\\040is\\040404
    icmp lost resolve=0 fault='none.invalid'\\040cannot\\040be\\040resolved:\\040/etc/resolv.conf\\040names\\040no\\040server
    hop tcp 1 end 127.0.0.1 0.1

    """.write(to: root.appendingPathComponent(".host/latency"), atomically: true, encoding: .utf8)
    let host = Host(root: root.path)
    let prober: any Prober = isRecorded ? RecordedProber(host) : NetworkProber(host)
    let tcp = try LatencyTarget.made("tcp", ["port": .integer(Int(server.port))])
    let open = prober.probe(tcp)
    #expect(open.fault == nil && !open.isUnsent && open.milliseconds == open.phases[.connect])
    #expect(Set(open.phases.keys) == [.resolve, .connect])
    let page = prober.probe(try .made("http", ["url": .text("http://127.0.0.1:\(server.port)/")]))
    #expect(page.fault == "the status is 404" && page.status == 404 && page.milliseconds == page.phases[.total])
    #expect(Set(page.phases.keys) == [.resolve, .connect, .firstByte, .total])
    let nameless = prober.probe(try .made("icmp", ["host": .text("none.invalid")]))
    #expect(nameless.fault == "'none.invalid' cannot be resolved: /etc/resolv.conf names no server")
    #expect(nameless.milliseconds == nil && !nameless.isUnsent)
    guard case .end("127.0.0.1", _) = prober.probe(tcp, hops: 1) else {
      Issue.record("one hop leads to this machine")
      return
    }
    withExtendedLifetime(server) {}
  }

  @Test func theSensorTellsWhatItsThreadFound() throws {
    let server = try LoopbackServer { _ in nil }
    let item = Settings(
      LatencyTarget.specs,
      [
        "name": .text("here"), "kind": .text("tcp"), "host": .text("127.0.0.1"), "port": .integer(Int(server.port)),
        "trace": .bool(true),
      ])
    let settings = Settings(LatencySensor.kind.settings, ["targets": .items([item])])
    var readings = Readings()
    var sensor = try LatencySensor(context: SensorContext(host: Host()), settings: settings, readings: &readings)
    func value(_ key: String) -> Double? {
      zip(readings.series, readings.values).first { $0.0.key == key && !$0.1.isMissing }?.1
    }
    #expect(
      holdsSoon {
        readings.begin(nanoseconds: 1)
        try? sensor.sample(into: &readings)
        return value("latency.up{target=\"here\"}") == 1 && value("latency.hop_loss_percent{hop=\"1\",target=\"here\"}") == 0
      })
    #expect(value("latency.loss_percent{target=\"here\"}") == 0)
    #expect(value("latency.hop_seen{address=\"127.0.0.1\",hop=\"1\",target=\"here\"}") == 1)
    #expect(readings.problem == nil)
    withExtendedLifetime(server) {}
  }
}
