import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The sensor beside the command lines of Podman and Docker, with containers that really run.
@Suite(.serialized) struct EngineTests {
  /// The sensor over one engine, with a clock that the test moves.
  private struct Watch {
    var readings = Readings()
    var sensor: ContainersSensor
    var seconds: Int64

    init(_ bench: EngineBench) throws {
      seconds = SystemClock.bootMilliseconds / 1_000
      readings.begin(nanoseconds: seconds * 1_000_000_000)
      let settings = Settings(
        ContainersSensor.kind.settings,
        ["sockets": .list([bench.socket]), "include": .list([bench.prefix + "*"]), "ask_every": .milliseconds(5_000)])
      sensor = try ContainersSensor(context: SensorContext(host: Host()), settings: settings, readings: &readings)
    }

    /// An engine that is slow on a busy machine is asked for the rest at the next sample.
    mutating func sample() throws {
      for _ in 0..<10 {
        seconds += 10
        readings.begin(nanoseconds: seconds * 1_000_000_000)
        try sensor.sample(into: &readings)
        if readings.problem == nil { return }
      }
      #expect(readings.problem == nil)
    }

    func value(_ name: String, of container: String, state: String? = nil) -> Double? {
      for (series, value) in zip(readings.series, readings.values) where series.metric.name == "containers." + name {
        guard series.label("container") == container, state == nil || series.label("state") == state else { continue }
        return value.isMissing ? nil : value
      }
      return nil
    }
  }

  private static func seconds(_ text: String?) -> Double? {
    guard let text, let end = text.firstIndex(of: "."), let zone = text[end...].firstIndex(where: { "Z+-".contains($0) }) else {
      return nil
    }
    let formatter = ISO8601DateFormatter()
    return formatter.date(from: String(text[..<end] + text[zone...]))?.timeIntervalSince1970
  }

  /// Compares all that both know.
  private func compare(_ watch: Watch, _ bench: EngineBench, _ container: String) throws {
    let theirs = try bench.inspect(container)
    let state = try #require(theirs["State"] as? [String: Any])
    let word = try #require(state["Status"] as? String)
    #expect(watch.value("state", of: container, state: word) == 1, "\(container) is \(word)")
    #expect(watch.value("running", of: container) == (word == "running" ? 1 : 0))
    #expect(watch.value("restarts_total", of: container) == (theirs["RestartCount"] as? NSNumber)?.doubleValue)
    let started = try #require(Self.seconds(state["StartedAt"] as? String))
    #expect(abs((watch.value("start_time_seconds", of: container) ?? 0) - started) <= 1)
    if word == "exited" {
      #expect(watch.value("exit_code", of: container) == (state["ExitCode"] as? NSNumber)?.doubleValue)
    }
    let memory = (theirs["HostConfig"] as? [String: Any])?["Memory"] as? NSNumber
    if word == "running", let limit = memory?.doubleValue, limit > 0 {
      #expect(watch.value("memory_limit_bytes", of: container) == limit)
    }
  }

  @Test(arguments: ["podman", "docker"])
  func agreesWithTheCommandLine(kind: String) throws {
    guard let bench = try EngineBench(kind) else { return }
    defer { bench.end() }
    let limits = ["--network", "none", "--memory", "64m", "--cpus", "0.1"]
    let check = ["--health-cmd", "exit 1", "--health-retries", "1", "--health-interval", "1s"]
    let loop = ["/bin/sh", "-c", "while :; do :; done"]
    guard
      let job = bench.start("job", ["--network", "none", "--restart", "on-failure:1"], ["/bin/sh", "-c", "exit 3"]),
      let busy = bench.start("busy", limits + ["--restart", "always"], loop),
      let sick = bench.start("sick", ["--network", "none"] + check, ["/bin/sleep", "9999"])
    else { return }
    #expect(
      bench.eventually { (try? bench.inspect(job)["State"] as? [String: Any])?["Status"] as? String == "exited" })
    var watch = try Watch(bench)
    try watch.sample()
    for name in [job, busy, sick] { try compare(watch, bench, name) }
    let up = zip(watch.readings.series, watch.readings.values).filter { $0.0.metric == ContainerMetrics.engineUp }
    #expect(up.map(\.1) == [1] && up.first?.0.label("engine") == kind && up.first?.0.label("socket") == bench.socket)
    #expect(watch.value("down", of: job) == 1 && watch.value("down", of: busy) == 0)
    #expect(watch.value("healthy", of: busy) == nil && watch.value("processes", of: sick) == 1)

    // It may have a tenth of a processor and wants a whole one.
    #expect(
      bench.eventually {
        try? watch.sample()
        return (watch.value("throttled_periods", of: busy) ?? 0) > 0 && (watch.value("cpu_percent", of: busy) ?? 0) > 0
      })
    #expect((watch.value("throttled_seconds", of: busy) ?? 0) > 0)

    // Podman's checks are started by systemd, which may not be here.
    #expect(
      bench.eventually {
        if kind == "podman" { _ = bench.command(["healthcheck", "run", sick]) }
        try? watch.sample()
        return watch.value("healthy", of: sick) == 0
      })

    // Started again, it has another process: its engine is asked at once.
    let before = watch.value("start_time_seconds", of: busy)
    #expect(bench.command(["restart", "-t", "0", busy]).status == 0)
    // An engine that is slow to answer is asked once more at the next sample, not after `ask_every`.
    #expect(
      bench.eventually {
        try? watch.sample()
        return watch.value("start_time_seconds", of: busy) != before
      })
    try compare(watch, bench, busy)

    #expect(bench.command(["stop", "-t", "0", busy]).status == 0)
    try watch.sample()
    try compare(watch, bench, busy)
    #expect(watch.value("down", of: busy) == 1 && watch.value("cpu_percent", of: busy) == nil)
    #expect(bench.command(["rm", busy]).status == 0)
    seekNothing(&watch, busy, bench)
  }

  /// One that was removed has no values; what was never watched has no series.
  private func seekNothing(_ watch: inout Watch, _ container: String, _ bench: EngineBench) {
    #expect(
      bench.eventually {
        try? watch.sample()
        return watch.value("running", of: container) == nil
      })
    #expect(watch.readings.series.allSatisfy { ($0.label("container") ?? bench.prefix).hasPrefix(bench.prefix) })
  }
}
