import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Packages and their versions beside dpkg and apt.
@Suite struct PackageTests {
  private static func precedes(_ left: String, _ right: String) -> Bool {
    DebianVersion.precedes(Array(left.utf8)[...], Array(right.utf8)[...])
  }

  /// From deb-version(7) and the policy manual, 5.6.12.
  @Test(arguments: [
    "~~", "~~a", "~", "", "a",
  ]) func theSpecificationsOrder(text: String) {
    let order = ["~~", "~~a", "~", "", "a"]
    let place = order.firstIndex(of: text) ?? 0
    for (other, version) in order.enumerated() {
      #expect(Self.precedes("1\(text)", "1\(version)") == (place < other), "1\(text) and 1\(version)")
    }
  }

  @Test(arguments: [
    ("1.0", "1:0.1"), ("2.36-9", "2.36-9+deb12u1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0-1", "1.0-1.1"), ("1-2-3", "1-2-4"),
    ("9999999999999999999999", "10000000000000000000000"), ("1.0a", "1.0+"), ("0:1", "1:0"),
  ]) func olderOnes(old: String, new: String) {
    #expect(Self.precedes(old, new))
    #expect(!Self.precedes(new, old))
    #expect(!Self.precedes(old, old))
  }

  @Test func equalOnes() {
    for (left, right) in [("1.0", "0:1.0"), ("1.00", "1.0"), ("1.0-0", "1.0"), ("1.001", "1.1")] {
      #expect(!Self.precedes(left, right) && !Self.precedes(right, left), "\(left) and \(right)")
    }
  }

  @Test func agreesWithDpkgOnAnyVersions() throws {
    let seed: UInt64 = 6
    var generator = SplitMix64(seed: seed)
    let alphabet = Array("0019az~+.-:")
    func version() -> String {
      let count = Int.random(in: 0...7, using: &generator)
      let rest = (0..<count).map { _ in String(alphabet.randomElement(using: &generator) ?? "0") }.joined()
      return "1" + rest
    }
    // dpkg refuses what is no version: a colon after letters, an empty revision.
    func isVersion(_ text: String) -> Bool {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, parts.count == 1 || parts[0].allSatisfy(\.isNumber), let last = parts.last else { return false }
      return last.first?.isNumber == true && !last.hasSuffix("-")
    }
    var script = ""
    var ours: [Bool] = []
    while ours.count < 300 {
      let (left, right) = (version(), version())
      guard isVersion(left), isVersion(right) else { continue }
      ours.append(Self.precedes(left, right))
      script += "dpkg --compare-versions '\(left)' lt '\(right)' && echo true || echo false\n"
    }
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg") else {
      print("skipped: dpkg is not there")
      return
    }
    let outcome = try Subprocess.run("/bin/sh", ["-c", script], timeoutMilliseconds: 120_000, outputBytes: 1 << 20)
    let theirs = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map { $0 == "true" }
    #expect(theirs == ours, "seed \(seed)")
  }

  /// The lists of this machine, unpacked where apt keeps them packed, beside what apt makes of them.
  @Test func agreesWithAptOnWhatIsUpgradable() throws {
    let helper = "/usr/lib/apt/apt-helper"
    let lists = "/var/lib/apt/lists"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: lists)) ?? []
    let packed = names.filter { $0.contains("_Packages") }
    guard FileManager.default.isExecutableFile(atPath: helper), !packed.isEmpty else {
      print("skipped: apt has no lists here")
      return
    }
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-apt-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root.appendingPathComponent("var/lib/dpkg"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      at: root.appendingPathComponent("var/lib/apt/lists"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: "/var/lib/dpkg/status"), to: root.appendingPathComponent("var/lib/dpkg/status"))
    for name in names where name.hasSuffix("Release") {
      try FileManager.default.copyItem(
        at: URL(fileURLWithPath: "\(lists)/\(name)"), to: root.appendingPathComponent("var/lib/apt/lists/\(name)"))
    }
    for name in packed {
      let plain = name.range(of: "_Packages").map { String(name[..<$0.upperBound]) } ?? name
      let target = root.appendingPathComponent("var/lib/apt/lists/\(plain)").path
      let outcome = try Subprocess.run(
        "/bin/sh", ["-c", "\(helper) cat-file '\(lists)/\(name)' > '\(target)'"], timeoutMilliseconds: 60_000, outputBytes: 4096)
      #expect(outcome.end == .exited(0))
    }
    let apt = try Subprocess.run("/usr/bin/apt", ["list", "--upgradable"], timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
    let theirs = String(decoding: apt.output, as: UTF8.self).split(separator: "\n").filter { $0.contains("[upgradable from") }
    let host = Host(root: root.path)
    let state = try PackageHistory().state(host)
    #expect(state.upgradable == theirs.count)
    #expect(try #require(state.securityUpgradable) <= theirs.count)
  }

  @Test func listsAreReadAgainOnlyWhenSomethingChanged() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-history-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let status = root.appendingPathComponent("var/lib/dpkg/status")
    try FileManager.default.createDirectory(at: status.deletingLastPathComponent(), withIntermediateDirectories: true)
    func write(_ names: [String], at seconds: Double) throws {
      let text = names.map { "Package: \($0)\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n" }.joined()
      try Data(text.utf8).write(to: status)
      try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: status.path)
    }
    let (history, host) = (PackageHistory(), Host(root: root.path))
    #expect(throws: SensorError.absent("/var/lib/dpkg/status")) { _ = try history.state(host) }
    try write(["a", "b"], at: 1_000)
    #expect(try history.state(host).installed == 2)
    // As long, and as old: nothing says that it is another.
    try write(["a", "a"].map { $0 }, at: 1_000)
    try Data(String(decoding: Data(contentsOf: status), as: UTF8.self).replacing("Package: a", with: "Packages: ").utf8).write(
      to: status)
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1_000)], ofItemAtPath: status.path)
    #expect(try history.state(host).installed == 2)
    try write(["a"], at: 2_000)
    #expect(try history.state(host).installed == 1)
  }
}
