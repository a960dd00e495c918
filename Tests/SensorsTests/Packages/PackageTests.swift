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

  /// apk-package(5): numbers, a letter, suffixes in their order, a build; digits behind a zero are those of a fraction.
  @Test(arguments: [
    ("1.2.3", "1.2.4"), ("1.9", "1.10"), ("1.2", "1.2.1"), ("1.2", "1.2a"), ("1.2a", "1.2b"), ("1.2_rc1", "1.2"),
    ("1.2", "1.2_p1"),
    ("1.2_alpha", "1.2_beta"), ("1.2_beta9", "1.2_pre"), ("1.2_pre2", "1.2_rc1"), ("1.2_cvs1", "1.2_svn"),
    ("1.2_svn3", "1.2_git1"),
    ("1.2_git9", "1.2_hg1"), ("1.2_hg", "1.2_p"), ("1.2_rc1", "1.2_rc2"), ("1.2-r9", "1.2-r10"), ("1.2", "1.2-r1"),
    ("1.2_p1", "1.2_p1_p1"), ("1.2_p1_rc1", "1.2_p1"), ("1.05", "1.5"), ("1.05_p1", "1.050"), ("9", "10"), ("09", "10"),
    ("99999999999999999999998", "99999999999999999999999"), ("1.2.3", "1.2.3~1f-r0"),
  ]) func olderOnesOfAlpine(old: String, new: String) {
    func precedes(_ left: String, _ right: String) -> Bool {
      AlpineVersion.precedes(Array(left.utf8)[...], Array(right.utf8)[...])
    }
    #expect(precedes(old, new) && !precedes(new, old) && !precedes(old, old))
  }

  /// The lists of this machine, as apt keeps them, beside what apt makes of them.
  @Test func agreesWithAptOnWhatIsUpgradable() throws {
    let sources = PackageSources(manager: "dpkg", database: "/var/lib/dpkg/status")
    let host = Host()
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/apt"), !sources.lists(host).paths.isEmpty else {
      print("skipped: apt has no lists here")
      return
    }
    let apt = try Subprocess.run("/usr/bin/apt", ["list", "--upgradable"], timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
    let theirs = String(decoding: apt.output, as: UTF8.self).split(separator: "\n").filter { $0.contains("[upgradable from") }
    let state = try PackageState(sources, of: host)
    #expect(state.problem == nil && state.upgradable == theirs.count)
    #expect(try #require(state.securityUpgradable) <= theirs.count)
  }

  /// A database that rpm itself makes: empty, and with two packages and a log of changes.
  @Test func agreesWithRPM() throws {
    let root = URL(fileURLWithPath: "/tmp/godwit rpm%?#\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: root) }
    // rpm takes a % in a path for a macro.
    let top = URL(fileURLWithPath: "/tmp/godwit-rpm-\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: top) }
    let folder = top.appendingPathComponent("db")
    for place in [folder, root.appendingPathComponent("var/lib")] {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(at: root.appendingPathComponent("var/lib/rpm"), withDestinationURL: folder)
    func run(_ program: String, _ arguments: [String]) throws -> String? {
      guard FileManager.default.isExecutableFile(atPath: "/usr/bin/" + program) else { return nil }
      let outcome = try Subprocess.run("/usr/bin/" + program, arguments, timeoutMilliseconds: 60_000, outputBytes: 1 << 18)
      return outcome.end == .exited(0) ? String(decoding: outcome.output, as: UTF8.self) : nil
    }
    guard try run("rpm", ["--dbpath", folder.path, "--initdb"]) != nil,
      FileManager.default.fileExists(atPath: folder.path + "/rpmdb.sqlite")
    else {
      print("skipped: rpm is not installed, or keeps its packages in another form")
      return
    }
    let host = Host(root: root.path)
    #expect(try PackageHistory().state(host).installed == 0)
    let head = "Name: one\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n"
    try Data((head + "%package two\nSummary: y\n%description two\ny\n%files\n%files two\n").utf8).write(
      to: top.appendingPathComponent("one.spec"))
    guard try run("rpmbuild", ["-bb", "--define", "_topdir \(top.path)", top.path + "/one.spec"]) != nil else {
      print("skipped: rpmbuild makes no package here")
      return
    }
    let made = try FileManager.default.contentsOfDirectory(atPath: top.path + "/RPMS/noarch").map {
      top.path + "/RPMS/noarch/" + $0
    }
    #expect(made.count == 2)
    _ = try #require(try run("rpm", ["--dbpath", folder.path, "--nodeps", "--justdb", "-i"] + made))
    let theirs = try #require(try run("rpm", ["--dbpath", folder.path, "-qa"])).split(separator: "\n")
    #expect(try PackageHistory().state(host).installed == theirs.count && theirs.count == 2)
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
