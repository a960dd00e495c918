import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Lists and databases of package managers, cut short and with bytes changed by a seeded generator: 10,000 of each. They may be refused, but
/// nothing crashes, and nothing is counted that is not installed.
@Suite struct PackageRobustnessTests {
  @Test(arguments: [
    ("alpine-indexes", "lib/apk/db/installed", 4, UInt64(20_261_151)),
    ("alpine-indexes", "var/cache/apk/APKINDEX.066df28d.tar.gz", 4, 20_261_152),
    ("opkg-lists", "var/opkg-lists/own", 4, 20_261_153),
    (
      "debian-packed", "var/lib/apt/lists/deb.debian.org_debian_dists_bookworm-updates_main_binary-amd64_Packages.lz4", 3,
      20_261_154
    ),
    ("rpm", "usr/lib/sysimage/rpm/rpmdb.sqlite", 4, 20_261_155),
  ])
  func anyFile(name: String, path: String, most: Int, seed: UInt64) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-packages-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.copyItem(at: CaseTests.folder.appendingPathComponent("packages/\(name)/input"), to: root)
    let file = root.appendingPathComponent(path)
    let host = Host(root: root.path)
    let sources = try #require(PackageSources(host))
    var taken = 0
    LatencyFuzzTests.mutate(Array(try Data(contentsOf: file)), seed: seed) { changed in
      guard (try? Data(changed).write(to: file)) != nil, let state = try? PackageState(sources, of: host) else { return }
      taken += 1
      // A changed line may make two packages of one.
      let isWithin = (0...2 * most).contains(state.installed) && (0...state.installed).contains(state.upgradable ?? 0)
      // A damaged database may have any count that there can be.
      if sources.manager == "rpm" ? state.installed < 0 : !isWithin { Issue.record("\(path), seed \(seed): \(state)") }
    }
    #expect(taken > 100, "\(path)")
  }

  /// Of any two texts at most one is the older.
  @Test func anyVersionsOfAlpine() {
    let seed: UInt64 = 20_261_156
    var generator = SplitMix64(seed: seed)
    let alphabet = Array("0019az._~-r".utf8)
    func version() -> [UInt8] {
      (0...Int.random(in: 0...9, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
    }
    for _ in 0..<10_000 {
      let (left, right) = (version(), version())
      let (isOlder, isNewer) = (
        AlpineVersion.precedes(left[...], right[...]), AlpineVersion.precedes(right[...], left[...])
      )
      if isOlder && isNewer || AlpineVersion.precedes(left[...], left[...]) {
        Issue.record("\(String(decoding: left, as: UTF8.self)), \(String(decoding: right, as: UTF8.self)), seed \(seed)")
      }
    }
  }
}
