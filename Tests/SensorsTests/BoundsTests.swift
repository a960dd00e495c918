import Foundation
import Telemetry
import Testing

@testable import Sensors

/// What a kind says its settings leave of its metrics, against what its sensor reports.
@Suite struct BoundsTests {
  @Test(arguments: CaseTests.cases)
  func whatIsReportedIsAdmitted(name: String) throws {
    try compare(name, [:])
  }

  /// Switches the other way, every other word of a choice, and numbers and durations that can be 0: one setting at a time.
  @Test(arguments: CaseTests.cases)
  func whatIsReportedUnderOtherSettingsIsAdmitted(name: String) throws {
    let run = try CaseRun(folder: CaseTests.folder.appendingPathComponent(name), fixtures: CaseTests.fixtures)
    let settings = try run.settings()
    for spec in run.kind.settings {
      let others: [SettingValue] =
        switch spec.type {
        case .bool: [.bool(!settings.bool(spec.key))]
        case .choice(let words): words.map { .text($0) }
        case .choices, .patterns: [.list([])]
        case .integer(let range) where range.contains(0): [.integer(0)]
        case .duration(let range) where range.contains(0): [.milliseconds(0)]
        default: []
        }
      for other in others where other != settings[spec.key] { try compare(name, [spec.key: other]) }
    }
  }

  /// The filter knows only the name that both have.
  @Test(arguments: [["include": SettingValue.list(["web"])], ["exclude": .list(["web-*"])]])
  func aSecondContainerOfANameIsAdmitted(overrides: [String: SettingValue]) throws {
    try compare("containers/two-users", overrides)
    let kind = ContainersSensor.kind
    let bounds = kind.bounds(Settings(kind.settings, overrides)).filter { $0.metrics.contains("containers.running") }
    #expect(bounds.contains { !$0.admits("container", Glob("web-")) }, "and no other")
  }

  private func compare(_ name: String, _ overrides: [String: SettingValue]) throws {
    let run = try CaseRun(folder: CaseTests.folder.appendingPathComponent(name), fixtures: CaseTests.fixtures)
    run.overrides = overrides
    let report = try run.report()
    // Lines of a key and a value; a key may hold blanks.
    let reported = Set(report.split(separator: "\n").map { line in line.prefix(upTo: line.lastIndex(of: " ") ?? line.endIndex) })
    let bounds = run.kind.bounds(try run.settings())
    for series in run.readings.series where reported.contains(series.key[...]) {
      for bound in bounds where bound.metrics.contains(series.metric.name) {
        #expect(!bound.isOff, "\(name) \(overrides): \(series.key) is reported, and said to be switched off")
        for label in series.labels {
          #expect(
            bound.admits(label.key, Glob(label.value)),
            "\(name) \(overrides): \(series.key) is reported, and \(label.key) said to be impossible")
        }
      }
    }
  }

  @Test func boundsNameMetricsAndLabelsOfTheirKind() {
    for kind in SensorCatalogue.kinds {
      let metrics = kind.metrics
      for bound in kind.bounds(Settings(kind.settings)) {
        for name in bound.metrics {
          guard let metric = metrics.first(where: { $0.name == name }) else {
            Issue.record("\(kind.name) bounds \(name), which it has not")
            continue
          }
          switch bound.limit {
          case .off: #expect(!bound.why.isEmpty && !bound.remedy.isEmpty)
          case .only(let label, let values):
            #expect(metric.labels.contains(label) && !values.isEmpty, "\(name) has no label \(label), or no values of it")
          case .never(let label, _): #expect(metric.labels.contains(label), "\(name) has no label \(label)")
          }
        }
      }
    }
  }

  /// Settings that switch metrics off, and what then comes of a rule on them.
  @Test(arguments: [
    ("cpu", "per_core", SettingValue.text("off"), "cpu.core_usage_percent"),
    ("cpu", "per_core", .text("usage"), "cpu.core_mode_percent"),
    ("system", "processes_every", .milliseconds(0), "system.processes"),
    ("network", "socket_states_every", .milliseconds(0), "network.tcp_sockets"),
    ("mounts", "probe", .bool(false), "mounts.responding"),
    ("io_latency", "tracepoints", .bool(false), "io_latency.p99_milliseconds"),
    ("processes", "top", .integer(0), "processes.top_cpu_percent"),
    ("processes", "top_by", .list(["cpu"]), "processes.top_io_bytes_per_second"),
    ("processes", "pss_every", .milliseconds(0), "processes.group_proportional_bytes"),
    ("systemd", "failed", .integer(0), "systemd.unit_failed"),
    ("connections", "processes", .bool(false), "connections.process_sockets"),
    ("connections", "expected_ports", .list([]), "connections.unexpected_listeners"),
    ("wifi", "access_point_label", .bool(false), "wifi.access_point"),
    ("containers", "sockets", .list([]), "containers.engine_up"),
    ("self", "memory_every", .milliseconds(0), "godwit.anonymous_bytes"),
    ("raspberrypi", "clocks", .list([]), "raspberrypi.clock_hertz"),
    ("hailo", "networks", .bool(false), "accelerator.frames_per_second"),
    ("gpio", "inputs", .items([]), "gpio.active"), ("i2c", "devices", .items([]), "i2c.temperature_celsius"),
    ("latency", "targets", .items([]), "latency.up"), ("files", "watches", .items([]), "files.events"),
    ("exec", "commands", .items([]), "custom.up"), ("push", "metrics", .items([]), "custom.up"),
  ])
  func settingsSwitchMetricsOff(kind: String, key: String, value: SettingValue, metric: String) throws {
    let kind = try #require(SensorCatalogue.kinds.first { $0.name == kind })
    #expect(kind.metrics.contains { $0.name == metric })
    let bounds = kind.bounds(Settings(kind.settings, [key: value]))
    #expect(bounds.contains { $0.isOff && $0.metrics.contains(metric) })
  }
}
