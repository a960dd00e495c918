import Sensors
import Telemetry
import Testing

@testable import Profile

@Suite struct ReadingTests {
  @Test func textMeansWhatTheKeyWants() throws {
    let profile = try Fixture.parse(
      """
      node: "no"
      tick: '2s'
      labels: {answer: yes, hex: 0x10, big: 1e3, octal: 010, quoted: "~", date: 2026-11-20}
      """)
    #expect(profile.node == "no")
    #expect(profile.tickMilliseconds == 2000)
    #expect(
      profile.labels == [
        Label("answer", "yes"), Label("big", "1e3"), Label("date", "2026-11-20"), Label("hex", "0x10"), Label("octal", "010"),
        Label("quoted", "~"),
      ])
  }

  @Test(arguments: ["", "~", "null", "# nothing"])
  func aKeyWithoutValueIsNoKey(nothing: String) throws {
    let profile = try Fixture.parse(
      """
      tick: \(nothing)
      buffer: \(nothing)
      sensors:
        cpu: \(nothing)
        thermal: {every: \(nothing == "# nothing" ? "" : nothing)}
      alerts: \(nothing)
      labels: \(nothing)
      """)
    #expect(profile.tickMilliseconds == 1000)
    #expect(profile.sensors.map(\.kind) == ["cpu", "thermal"])
    #expect(profile.sensors.map(\.everyMilliseconds) == [1000, 2000])
  }

  @Test func sensorsRunInTheOrderOfTheCatalogue() throws {
    let profile = try Fixture.parse(
      "sensors: {thermal: {every: 4s, least: 50F}, disk: false, cpu: true, memory: {enabled: false}}")
    #expect(profile.sensors.map(\.kind) == ["cpu", "thermal"])
    #expect(profile.sensors[1].settings.number("least") == 10)
    #expect(profile.sensors[0].settings.text("per_core") == "modes")
  }

  @Test func aSensorsOwnPaceIsRoundedUpToTheTick() throws {
    // 2 s and 10 s in ticks of 3 s, the rest every tick.
    let profile = try Fixture.parse("tick: 3s")
    #expect(profile.sensors.map(\.everyMilliseconds) == [3000, 3000, 3000, 12_000])
  }

  @Test func anchorsAndMergeKeysRepeat() throws {
    let profile = try Fixture.parse(
      """
      alerts:
        - &base {name: a, when: cpu.load1 > 4, severity: critical, for: 5s}
        - {<<: *base, name: b, for: 9s}
      """)
    #expect(profile.alerts.map(\.name) == ["a", "b"])
    #expect(profile.alerts[1].severity == .critical)
    #expect(profile.alerts.map(\.forMilliseconds) == [5000, 9000])
  }

  @Test func aByteOrderMarkAndWindowsLinesAreRead() throws {
    let profile = try Fixture.parse("\u{FEFF}tick: 2s\r\nnode: edge-02\r\n")
    #expect(profile.tickMilliseconds == 2000)
    #expect(profile.node == "edge-02")
  }

  @Test func theNodeIsTheHostNameOrTheMachineID() throws {
    func node(_ host: String, _ machine: String?) throws(ProfileProblems) -> String {
      try Fixture.parse("", environment: ProfileEnvironment(hostName: host, machineID: machine)).node
    }
    #expect(try node("edge-01", "0123456789abcdef0123456789abcdef") == "edge-01")
    #expect(try node("localhost", "0123456789abcdef0123456789abcdef") == "0123456789abcdef0123456789abcdef")
    #expect(try node("", "0123456789abcdef0123456789abcdef") == "0123456789abcdef0123456789abcdef")
    let nameless = Fixture.problems("node: auto", environment: ProfileEnvironment(hostName: "localhost"))
    #expect(nameless.contains("the node has no name of its own"))
  }

  @Test func oneOfSeveralSensorsOfAMetricIsEnough() throws {
    let shared = Metric("disk.supply_volts", unit: .volts, decimals: 2, help: "A voltage.")
    let catalogue =
      Fixture.catalogue + [SensorKind(name: "nvme", summary: "Other disks.", sources: ["/dev/nvme0"], metrics: [shared])]
    func parse(_ kind: String) throws(ProfileProblems) -> Profile {
      let text = "sensors: {\(kind): }\nalerts:\n  - name: low\n    when: disk.supply_volts < 3V\n"
      return try Profile.parse(
        files: [("profile.yaml", Array(text.utf8))], catalogue: catalogue, environment: Fixture.environment)
    }
    for kind in ["disk", "nvme"] { #expect(try parse(kind).alerts.map(\.name) == ["low"]) }
    let problems = #expect(throws: ProfileProblems.self) { try parse("cpu") }
    #expect(
      problems?.description
        == "profile.yaml:4:11: error: no sensor that measures 'disk.supply_volts' is enabled; the rule could never fire; "
        + "add 'disk:' or 'nvme:' below 'sensors:', or remove the rule")
  }

  @Test func thresholdsAreInTheMetricsUnit() throws {
    func threshold(_ when: String) throws(ProfileProblems) -> Double? {
      try Fixture.parse("alerts: [{name: a, when: '\(when)'}]").alerts.first?.when.threshold
    }
    #expect(try threshold("cpu.usage_percent > 90%") == 90)
    #expect(try threshold("cpu.usage_percent > 90") == 90)
    #expect(try threshold("thermal.temperature_celsius > 75C") == 75)
    #expect(try threshold("thermal.temperature_celsius > 75°C") == 75)
    #expect(try threshold("thermal.temperature_celsius >= 167F") == 75)
    #expect(try threshold("memory.used_bytes > 1.5GiB") == 1_610_612_736)
    #expect(try threshold("disk.read_bytes_per_second > 10MB/s") == 10_000_000)
    #expect(try threshold("disk.await_milliseconds > 1.5s") == 1500)
    #expect(try threshold("disk.uptime_seconds < 5m") == 300)
    #expect(try threshold("cpu.frequency_hertz < 1.5GHz") == 1_500_000_000)
    #expect(try threshold("disk.supply_volts < 4.75 V") == 4.75)
    #expect(try threshold("disk.supply_volts < 900mV") == 0.9)
    #expect(try threshold("cpu.load1 != -1e-3") == -0.001)
  }

  @Test func aWhenMayBeWrittenTightly() throws {
    let rule = try Fixture.parse(#"alerts: [{name: a, when: 'thermal.temperature_celsius { zone = "c\"p*" , }<=7'}]"#).alerts[0]
    #expect(rule.metric == "thermal.temperature_celsius")
    #expect(rule.labels == [AlertRule.LabelMatch("zone", "c\"p*")])
    #expect(rule.when == AlertRule.Condition(.lessOrEqual, 7))
  }

  @Test(arguments: [
    ("mqtt://broker.example", BrokerAddress(scheme: .mqtt, host: "broker.example", port: 1883)),
    ("MQTTS://broker.example/", BrokerAddress(scheme: .mqtts, host: "broker.example", port: 8883)),
    ("mqtt://192.0.2.7:11883", BrokerAddress(scheme: .mqtt, host: "192.0.2.7", port: 11883)),
    ("mqtts://[2001:db8::1]:8884", BrokerAddress(scheme: .mqtts, host: "2001:db8::1", port: 8884)),
    ("unix:///run/mosquitto.sock", BrokerAddress(scheme: .unix, host: "", port: 0, path: "/run/mosquitto.sock")),
  ])
  func brokersAreRead(text: String, address: BrokerAddress) throws {
    #expect(try Fixture.parse("uplink: {broker: '\(text)'}").uplink?.brokers.first == address)
  }

  @Test func credentialsAreThoseOfSystemd() throws {
    let text = "uplink: {broker: mqtt://a, username: u, password_file: 'credential:mqtt'}"
    let unit = ProfileEnvironment(hostName: "edge-01", credentialsDirectory: "/run/credentials/other.service")
    #expect(try Fixture.parse(text, environment: unit).uplink?.passwordFile == "/run/credentials/other.service/mqtt")
    #expect(try Fixture.parse(text).uplink?.passwordFile == "/run/credentials/godwitd.service/mqtt")
    let key = "uplink: {broker: mqtts://a, certificate_file: /c, key_file: /k, key_password_file: 'credential:key'}"
    #expect(try Fixture.parse(key, environment: unit).uplink?.keyPasswordFile == "/run/credentials/other.service/key")
    // A target of the sensor latency has the same settings.
    let target = "sensors: {latency: {targets: [{name: b, kind: mqtt, host: a, username: u, password_file: 'credential:mqtt'}]}}"
    let profile = try Profile.parse(
      files: [("profile.yaml", Array(target.utf8))], catalogue: [LatencySensor.kind], environment: unit)
    let settings = try #require(profile.sensors.first?.settings.items("targets").first)
    #expect(settings.text("password_file") == "/run/credentials/other.service/mqtt")
  }

  @Test func noMessageRepeatsAPassword() {
    for broker in ["mqtt://u:hunter2@a", "u:hunter2@a", "mqtt:u:hunter2@a", "ftp://u:hunter2@a", "mqtt://u:hunter2@a:1/x"] {
      let told = Fixture.problems("uplink: {broker: '\(broker)', password: hunter2}")
      #expect(!told.isEmpty)
      #expect(!told.contains("hunter2"), "\(broker)")
    }
    let target = "sensors: {latency: {targets: [{name: b, kind: mqtt, host: a, username: u, password: hunter2}]}}"
    #expect(throws: ProfileProblems.self) {
      do throws(ProfileProblems) {
        _ = try Profile.parse(
          files: [("profile.yaml", Array(target.utf8))], catalogue: [LatencySensor.kind], environment: Fixture.environment)
      } catch {
        #expect(error.description.contains("password_file") && !error.description.contains("hunter2"))
        throw error
      }
    }
  }
}
