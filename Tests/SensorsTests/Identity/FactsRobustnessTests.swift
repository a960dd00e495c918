import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Files of machines with bytes changed by a seeded generator: whatever they hold, what is made of them stays within its bounds.
@Suite struct FactsRobustnessTests {
  private static let seed: UInt64 = 20_261_121

  /// 10,000 changed texts.
  private static func change(_ bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<10_000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) { changed.removeLast(Int.random(in: 0..<changed.count, using: &generator)) }
      try body(changed)
    }
  }

  @Test func processors() throws {
    let text =
      "model name\t: Fast CPU @ 3.00GHz\nflags\t\t: fpu vme\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\nisa\t: rv64\nuarch\t: u74\n"
    Self.change(Array(text.utf8)) { bytes in
      let facts = ByteScanner.scan(bytes: bytes) { CPUFacts(&$0) }
      #expect((facts.model?.utf8.count ?? 0) < 5 * MachineLimits.textBytes, "seed \(Self.seed)")
      #expect((facts.features?.utf8.count ?? 0) <= 3 * MachineLimits.featureBytes, "seed \(Self.seed)")
      #expect((facts.namedHertz ?? 0) >= 0, "seed \(Self.seed)")
    }
  }

  @Test func addresses() throws {
    let tree = SystemFactsTests.host("pi4")
    var bodies: [[UInt8]] = []
    try tree.calls.netlink(InterfaceFacts.request) { (body) throws(SensorError) in
      bodies.append((0..<body.count).compactMap { body.byte(at: $0) })
    }
    #expect(bodies.count == 7)
    for body in bodies.prefix(2) + bodies.suffix(1) {
      Self.change(body) { bytes in
        if let address = InterfaceFacts.address(NetlinkBytes(bytes)) {
          #expect(address.text.utf8.count <= 64 && (0...255).contains(address.prefix), "seed \(Self.seed)")
        }
      }
    }
  }

  @Test func balloons() {
    for text in [
      "nr_free_pages 1\nballoon_inflate 262144\nballoon_deflate 131072\nnr_balloon_pages 3\n", "target : 5\ncurrent  : 65536\n",
    ] {
      Self.change(Array(text.utf8)) { bytes in
        if let balloon = ByteScanner.scan(bytes: bytes, { Balloon(vmstat: &$0) }) {
          #expect(max(balloon.pages, balloon.inflated, balloon.deflated) < 1 << 50, "seed \(Self.seed)")
        }
        let pages = ByteScanner.scan(bytes: bytes) { Balloon.pages(debug: &$0) }
        #expect((pages ?? 0) < 1 << 50, "seed \(Self.seed)")
      }
    }
  }

  /// The files that are read by path: of a system, and of a package manager.
  @Test(arguments: [
    "etc/os-release", "var/lib/dpkg/status", "var/lib/apt/lists/a_dists_b_main_binary-arm64_Packages", "proc/1/environ",
  ])
  func files(path: String) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-facts-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let status = Array(
      "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2.0~rc1-3\n\nPackage: b\nVersion: 1\n\n".utf8)
    for name in [
      "etc/os-release", "var/lib/dpkg/status", "proc/1/environ", "var/lib/apt/lists/a_dists_b_main_binary-arm64_Packages",
    ] {
      let file = root.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(status).write(to: file)
    }
    let host = Host(root: root.path)
    let privacy = FactPrivacy(.keep, keyFile: nil, told: ["n"], host: host)
    let original: [UInt8] =
      switch path {
      case "etc/os-release": Array("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID='12'\n".utf8)
      case "proc/1/environ": Array("PATH=/bin\0container=lxc\0A=b\0".utf8)
      default: status
      }
    try Self.change(original) { bytes in
      try Data(bytes).write(to: root.appendingPathComponent(path))
      switch path {
      case "etc/os-release":
        let board = BoardFacts(host, privacy: privacy)
        #expect((board.system?.utf8.count ?? 0) <= 3 * MachineLimits.textBytes, "seed \(Self.seed)")
      case "proc/1/environ": #expect(Virtualization(host).container.utf8.count < 20, "seed \(Self.seed)")
      default:
        let state = try PackageState(PackageSources(manager: "dpkg", database: "/var/lib/dpkg/status"), of: host)
        #expect((0...2).contains(state.installed), "seed \(Self.seed)")
        #expect(state.upgradable.map { $0 <= state.installed } ?? true, "seed \(Self.seed)")
      }
    }
  }
}
