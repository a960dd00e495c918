import Foundation
import Telemetry
import Testing

@testable import Profile

@Suite struct MergeTests {
  @Test func mapsMergeKeyByKeyAndOtherValuesReplace() throws {
    let profile = try Fixture.parse(
      "buffer: {retain: 2d, max_size: 1GiB}\nsensors:\n  disk: {every: 20s, exclude_mounts: [/a, /b]}\n  cpu:\nlabels: {site: a, rack: b}",
      "buffer: {retain: 3d}\nsensors: {disk: {exclude_mounts: [/c]}}\nlabels: {site: c}",
      "sensors:\n  memory:\n  disk:")
    #expect(profile.buffer.retainMilliseconds == 3 * 86_400_000)
    #expect(profile.buffer.maximumBytes == 1 << 30)
    #expect(profile.sensors.map(\.kind) == ["cpu", "memory", "disk"])
    #expect(profile.sensors[2].everyMilliseconds == 20_000)
    #expect(profile.sensors[2].settings.list("exclude_mounts") == ["/c"])
    #expect(profile.labels == [Label("rack", "b"), Label("site", "c")])
  }

  @Test func aDropInSwitchesSensorsOffAndOn() throws {
    #expect(try Fixture.parse("sensors: {cpu: , disk: }", "sensors: {disk: false}").sensors.map(\.kind) == ["cpu"])
    #expect(try Fixture.parse("sensors: {cpu: , disk: false}", "sensors: {disk: }").sensors.map(\.kind) == ["cpu", "disk"])
    #expect(try Fixture.parse("uplink: {broker: mqtt://a}", "uplink: false").uplink == nil)
  }

  @Test func alertsMergeByName() throws {
    let profile = try Fixture.parse(
      """
      alerts:
        - {name: a, when: cpu.load1 > 1, severity: critical}
        - {name: b, when: cpu.load1 > 2}
        - {name: c, when: cpu.load1 > 3}
      """,
      """
      alerts:
        - {name: b, enabled: false}
        - {name: a, when: cpu.load1 > 10}
        - {name: d, when: cpu.load1 > 4}
      """)
    #expect(profile.alerts.map(\.name) == ["a", "c", "d"])
    #expect(profile.alerts[0].when.threshold == 10)
    #expect(profile.alerts[0].severity == .warning)
  }

  @Test func aRuleThatIsOffCanBeSwitchedOnAgain() throws {
    let profile = try Fixture.parse(
      "alerts: [{name: a, when: cpu.load1 > 1, severity: info, enabled: false}]", "alerts: [{name: a, enabled: true}]")
    #expect(profile.alerts.map(\.severity) == [.info])
  }

  @Test func variablesAreSubstituted() throws {
    let profile = try Fixture.parse(
      """
      tick: ${TICK}
      labels: {a: "${SITE}-${NONE:-x}", b: "${EMPTY:-fallback}", c: "a$$b", d: '${EMPTY}', e: "${NONE:-}"}
      buffer: {path: "${NONE:-/data}/buffer.db"}
      alerts:
        - name: ${SITE}-hot
          when: cpu.load1 > ${NONE:-4.5}
      """)
    #expect(profile.tickMilliseconds == 2000)
    #expect(profile.labels.map(\.value) == ["plant-7-x", "fallback", "a$b", "", ""])
    #expect(profile.buffer.path == "/data/buffer.db")
    #expect(profile.alerts.map(\.name) == ["plant-7-hot"])
    #expect(profile.alerts.map(\.when.threshold) == [4.5])
  }

  @Test func aVariableOfAnOverriddenValueIsNotWanted() throws {
    #expect(try Fixture.parse("node: ${UNSET_NAME}", "node: edge-09").node == "edge-09")
  }

  @Test func filesAreReadFromDiskInTheOrderOfTheirNames() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-profile-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let dropIns = root.appendingPathComponent("profile.d")
    try FileManager.default.createDirectory(at: dropIns, withIntermediateDirectories: true)
    let main = root.appendingPathComponent("profile.yaml")
    try "tick: 1s\nnode: a".write(to: main, atomically: true, encoding: .utf8)
    for (name, text) in [
      ("20.yaml", "tick: 20s"), ("10.yaml", "tick: 10s\nnode: b"), (".30.yaml", "tick: 30s"), ("40.yaml.example", "tick: 40s"),
      ("README", "x"),
    ] {
      try text.write(to: dropIns.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    let profile = try Profile.load(path: main.path, catalogue: Fixture.catalogue, environment: Fixture.environment)
    #expect(profile.tickMilliseconds == 20_000)
    #expect(profile.node == "b")
  }

  @Test func aFileThatCannotBeReadIsAProblem() {
    func told(_ path: String) -> String {
      do throws(ProfileProblems) {
        _ = try Profile.load(path: path, catalogue: Fixture.catalogue, environment: Fixture.environment)
        return ""
      } catch {
        return error.description
      }
    }
    #expect(
      told("/nonexistent/profile.yaml")
        == "/nonexistent/profile.yaml: error: it cannot be read; No such file or directory; check the path; --profile FILE names another profile"
    )
    #expect(told("/").contains("error: it cannot be read"))
    #expect(told("/dev/zero").contains("larger than 1 MiB"))
  }
}
