import Foundation
import Platform
import Profile
import Sensors
import Telemetry
import Testing
import Uplink

@testable import Agent

/// When the facts of the system are looked for, and what is told of them.
@Suite struct FactsWatchTests {
  /// A tree whose host name is not private in these profiles.
  private final class Tree {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-watch-\(UUID().uuidString)")

    init(_ name: String) throws {
      let file = root.appendingPathComponent("proc/sys/kernel/hostname")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try write(name)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func write(_ name: String) throws {
      try Data("\(name)\n".utf8).write(to: root.appendingPathComponent("proc/sys/kernel/hostname"))
    }

    var context: SensorContext { SensorContext(host: Host(root: root.path)) }
  }

  private static func profile(_ identity: String) throws -> Profile {
    try Profile.parse(
      files: [("p", Array("node: n\nuplink: {broker: mqtt://b, payloads: [sparkplug, homeassistant]}\n\(identity)\n".utf8))],
      catalogue: SensorCatalogue.kinds, environment: ProfileEnvironment(hostName: "n"))
  }

  private static func text(_ watch: FactsWatch) -> String { String(decoding: watch.facts ?? [], as: UTF8.self) }

  /// Ticks at one time until the facts are as wanted; bounded by the suite's patience with a thread.
  private static func await(_ watch: FactsWatch, _ profile: Profile, now: Int64, _ isDone: () -> Bool) -> Bool {
    for _ in 0..<3_000 {
      _ = watch.tick(now: now, profile)
      if isDone() { return true }
      usleep(10_000)
    }
    return false
  }

  @Test func looksAtTheStartAndEachInterval() throws {
    let tree = try Tree("first")
    let watch = FactsWatch(tree.context)
    let profile = try Self.profile("identity: {private: keep, every: 1h}")
    #expect(Self.await(watch, profile, now: 0) { watch.facts != nil })
    #expect(Self.text(watch).hasPrefix(#"{"host":"first","#))
    try tree.write("second")
    // No look is due, and so none is under way.
    for _ in 0..<20 { #expect(!watch.tick(now: 3_599_000_000_000, profile)) }
    #expect(Self.text(watch).contains("first"))
    #expect(Self.await(watch, profile, now: 3_600_000_000_000) { Self.text(watch).contains("second") })
    #expect(!watch.tick(now: 3_600_000_000_001, profile))
  }

  @Test func saysThatThereIsNoKeyForDigests() throws {
    let watch = FactsWatch(try Tree("barn").context)
    let hash = try Self.profile("identity: {private: hash, key_file: /nowhere}")
    #expect(Self.await(watch, hash, now: 0) { watch.facts != nil } && watch.lacksKey)
    let omit = try Self.profile("identity: {private: omit}")
    #expect(Self.await(watch, omit, now: 0) { watch.facts != nil && !watch.lacksKey })
  }

  @Test func otherSettingsForgetWhatWasFound() throws {
    let tree = try Tree("barn")
    let watch = FactsWatch(tree.context)
    let keep = try Self.profile("identity: {private: keep}")
    let omit = try Self.profile("identity: {private: omit}")
    #expect(Self.await(watch, keep, now: 0) { watch.facts != nil })
    // At once, before another look has ended: it is private now.
    #expect(watch.tick(now: 1, omit))
    #expect(watch.facts == nil)
    #expect(Self.await(watch, omit, now: 2) { watch.facts != nil })
    #expect(!Self.text(watch).contains("barn"))
    let off = try Self.profile("identity: false")
    #expect(watch.tick(now: 3, off))
    #expect(watch.facts == nil && !watch.tick(now: 4, off))
    #expect(Self.await(watch, keep, now: 5) { Self.text(watch).contains("barn") })
  }

  @Test func withoutAnUplinkNothingIsLookedFor() throws {
    let tree = try Tree("barn")
    let watch = FactsWatch(tree.context)
    let profile = try Profile.parse(
      files: [("p", Array("node: n\n".utf8))], catalogue: SensorCatalogue.kinds, environment: ProfileEnvironment(hostName: "n"))
    for _ in 0..<20 { #expect(!watch.tick(now: 0, profile)) }
    #expect(watch.facts == nil)
  }

  @Test func theyStandInTheMessage() throws {
    let profile = try Self.profile("sensors: {cpu: }")
    let clock = HandClock()
    let with = IdentityJSON.encode(profile, clock: clock, started: 0, system: Array(#"{"host":"a"}"#.utf8))
    let without = IdentityJSON.encode(profile, clock: clock, started: 0, system: nil)
    #expect(try JSONValue(parsing: with)["system"]?["host"]?.text == "a")
    #expect(try JSONValue(parsing: without)["system"] == nil)
    #expect(try JSONValue(parsing: without)["metrics"] != nil)
  }

  @Test func theBoardStandsInBirthAndDiscovery() throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let host = Host(root: fixtures.appendingPathComponent("Fixtures/identity/x86-gateway").path)
    let kept = UplinkSettingsView(try Self.profile("identity: {private: keep}"), host)
    #expect(kept.home == ["Example Industrial", "EX-7100 Gateway", "GW7100-000431"])
    #expect(kept.facts.contains("Hardware Serial=GW7100-000431") && kept.facts.contains("OS=Ubuntu 24.04.2 LTS"))
    let digest = UplinkSettingsView(try Self.profile(""), host)
    #expect(digest.home[2]?.hasPrefix("hash:") == true && !digest.facts.contains { $0.contains("GW7100") })
    let off = UplinkSettingsView(try Self.profile("identity: false"), host)
    #expect(off.home == [nil, nil, nil] && off.facts.count == 1)
  }
}

/// What the settings of a node's connections say of its board.
private struct UplinkSettingsView {
  var home: [String?] = []
  var facts: [String] = []

  init(_ profile: Profile, _ host: Platform.Host) {
    for settings in UplinkSettings.all(profile, host) {
      if let shown = settings.homeAssistant { home = [shown.manufacturer, shown.model, shown.serialNumber] }
      facts += settings.sparkplug?.facts.map { "\($0.name)=\($0.value)" } ?? []
    }
  }
}
