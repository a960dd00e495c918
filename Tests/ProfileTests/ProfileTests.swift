import Telemetry
import Testing

@testable import Profile

/// What the tests check profiles against: small, with every shape of unit, label and setting.
enum Fixture {
  static let catalogue: [SensorKind] = [
    SensorKind(
      name: "cpu", summary: "Processor.", sources: ["/proc/stat"],
      settings: [
        SettingSpec("per_core", .choice(["modes", "usage", "off"]), default: "modes", help: "Per core."),
        SettingSpec("deep", .bool, default: "false", help: "A switch."),
      ],
      metrics: [
        Metric("cpu.usage_percent", unit: .percent, decimals: 1, help: "Usage."),
        Metric("cpu.core_usage_percent", unit: .percent, decimals: 1, labels: ["core"], help: "Usage of a core."),
        Metric("cpu.frequency_hertz", unit: .hertz, labels: ["core"], help: "Frequency."),
        Metric("cpu.load1", unit: .none, decimals: 2, help: "Load."),
      ]),
    SensorKind(
      name: "memory", summary: "Memory.", sources: ["/proc/meminfo"],
      settings: [SettingSpec("slack", .size(0...1 << 30), default: "1MiB", help: "A size.")],
      metrics: [
        Metric("memory.used_bytes", unit: .bytes, help: "Used."),
        Metric("memory.used_percent", unit: .percent, decimals: 1, help: "Used."),
      ]),
    SensorKind(
      name: "thermal", summary: "Zones.", sources: ["/sys/class/thermal"], everySeconds: 2,
      settings: [SettingSpec("least", .temperature, default: "0C", help: "A temperature.")],
      metrics: [Metric("thermal.temperature_celsius", unit: .celsius, decimals: 1, labels: ["zone"], help: "Temperature.")]),
    SensorKind(
      name: "disk", summary: "Mounts.", sources: ["statfs(2)"], lane: .slow, everySeconds: 10,
      settings: [
        SettingSpec("exclude_mounts", .patterns, default: "", help: "Patterns."),
        SettingSpec("samples", .integer(1...64), default: "8", help: "A whole number."),
        SettingSpec("full_at", .percent, default: "95%", help: "A percentage."),
      ],
      metrics: [
        Metric("disk.used_percent", unit: .percent, decimals: 1, labels: ["mount"], help: "Used."),
        Metric("disk.read_bytes_per_second", unit: .bytesPerSecond, labels: ["device"], help: "Read."),
        Metric("disk.await_milliseconds", unit: .milliseconds, decimals: 2, labels: ["device"], help: "Await."),
        Metric("disk.uptime_seconds", unit: .seconds, help: "A duration."),
        Metric("disk.supply_volts", unit: .volts, decimals: 2, help: "A voltage."),
      ]),
  ]

  static let environment = ProfileEnvironment(
    variables: ["SITE": "plant-7", "EMPTY": "", "TICK": "2s", "WORD": "banana"], hostName: "edge-01",
    machineID: "0123456789abcdef0123456789abcdef")

  static func parse(_ texts: String..., environment: ProfileEnvironment = environment) throws(ProfileProblems) -> Profile {
    let files = texts.enumerated().map {
      (name: $0.offset == 0 ? "profile.yaml" : "profile.d/\($0.offset).yaml", text: Array($0.element.utf8))
    }
    return try Profile.parse(files: files, catalogue: catalogue, environment: environment)
  }

  /// The problems of texts, one a line; empty when there are none.
  static func problems(_ texts: String..., environment: ProfileEnvironment = environment) -> String {
    let files = texts.enumerated().map {
      (name: $0.offset == 0 ? "profile.yaml" : "profile.d/\($0.offset).yaml", text: Array($0.element.utf8))
    }
    do throws(ProfileProblems) {
      _ = try Profile.parse(files: files, catalogue: catalogue, environment: environment)
      return ""
    } catch {
      return error.description
    }
  }
}

@Suite struct ProfileTests {
  @Test func anEmptyProfileIsAllDefaults() throws {
    let profile = try Fixture.parse("")
    #expect(profile.node == "edge-01")
    #expect(profile.labels.isEmpty)
    #expect(profile.tickMilliseconds == 1000)
    #expect(profile.sensors.map(\.kind) == ["cpu", "memory", "thermal", "disk"])
    #expect(profile.sensors.map(\.everyMilliseconds) == [1000, 1000, 2000, 10_000])
    #expect(profile.sensors.map(\.deadlineMilliseconds) == [5000, 5000, 5000, 5000])
    #expect(profile.alerts.isEmpty)
    #expect(
      profile.buffer
        == BufferProfile(
          path: "/var/lib/godwit/buffer.db", maximumBytes: 268_435_456, commitEveryMilliseconds: 10_000,
          retainMilliseconds: 604_800_000, retainMinutesMilliseconds: 7_776_000_000,
          retainHoursMilliseconds: 63_072_000_000, pendingBytes: 8_388_608))
    #expect(profile.uplink == nil)
    #expect(profile.control.socketPath == "/run/godwit/godwit.sock")
    #expect(profile.log == LogProfile(level: .info, format: .auto))
  }

  @Test func theProfileOfTheDesignIsRead() throws {
    let profile = try Fixture.parse(
      """
      node: auto                      # host name; or a name of your own
      tick: 1s
      labels: {site: plant-7}
      buffer: {path: /var/lib/godwit/buffer.db, max_size: 256MiB, commit_every: 10s}
      sensors:
        cpu:
        memory:
        thermal: {every: 2s}
        disk: {exclude_mounts: ["/boot/*"]}
      alerts:
        - name: cpu-hot
          when: thermal.temperature_celsius{zone="cpu-thermal"} > 75
          for: 30s
          clear: < 70
          severity: warning
          notify: [mqtt, log]
      uplink: {broker: mqtts://broker.example:8883, qos: 1, payloads: [json], drain_rate: 1MiB/s}
      """)
    #expect(profile.labels == [Label("site", "plant-7")])
    #expect(profile.sensors[3].settings.list("exclude_mounts") == ["/boot/*"])
    #expect(
      profile.alerts == [
        AlertRule(
          name: "cpu-hot", metric: "thermal.temperature_celsius", labels: [AlertRule.LabelMatch("zone", "cpu-thermal")],
          when: AlertRule.Condition(.greater, 75), forMilliseconds: 30_000, clear: AlertRule.Condition(.less, 70),
          severity: .warning, notifiers: [.mqtt, .log])
      ])
    let uplink = try #require(profile.uplink)
    #expect(uplink.brokers.first == BrokerAddress(scheme: .mqtts, host: "broker.example", port: 8883))
    #expect(uplink.clientID == "godwit-edge-01")
    #expect(uplink.version == .mqtt5)
    #expect(uplink.qos == 1)
    #expect(uplink.payloads == [.json])
    #expect(uplink.commands.isEmpty, "a node does not listen unless it is told to")
    #expect(uplink.drainBytesPerSecond == 1_048_576)
    #expect(uplink.window == 20)
    #expect(uplink.keepAliveSeconds == 60)
    #expect(uplink.topicPrefix == "godwit/v1")
    #expect(uplink.verifyServerName)
    #expect(uplink.backoffMinimumMilliseconds == 1000 && uplink.backoffMaximumMilliseconds == 120_000)
  }
}
