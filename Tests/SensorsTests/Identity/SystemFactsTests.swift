import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The trees under `Tests/Fixtures/identity`, each with what is told of it when nothing is private: `<tree>.json`, refreshed with
/// GODWIT_REFRESH=1 and then read by a person.
@Suite struct SystemFactsTests {
  static let folder = CaseTests.fixtures.appendingPathComponent("identity")
  static let trees = ["pi4", "x86-gateway", "vm-guest"]

  static func host(_ tree: String) -> Platform.Host { Platform.Host(root: folder.appendingPathComponent(tree).path) }

  static func facts(_ tree: String, _ choice: PrivateFacts, node: String = "node", keyFile: String? = nil) -> [UInt8] {
    let host = host(tree)
    let privacy = FactPrivacy(choice, keyFile: keyFile, told: [node], host: host)
    return SystemFacts.json(host, privacy: privacy, packages: PackageHistory())
  }

  @Test(arguments: trees) func tellsWhatTheTreeHolds(tree: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(Self.facts(tree, .keep)))
    let actual = try JSONSerialization.data(
      withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    let file = Self.folder.appendingPathComponent("\(tree).json")
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil { try (actual + [0x0A]).write(to: file) }
    #expect(try Data(contentsOf: file) == actual + [0x0A], "other facts than in \(tree).json")
  }

  /// All that tells the machine or its owner apart, as the trees have it.
  private static let secrets: [String: [String]] = [
    "pi4": [
      "barn-pi", "6f1d2c3b4a5968778695a4b3c2d1e0ff", "10000000a1b2c3d4", "0x7d2f9a10", "S49WNP0N1234", "d8:3a:dd", "192.0.2.17",
      "2001:db8:1::17", "d83add",
    ],
    "x86-gateway": [
      "gw-7100", "0123456789abcdef0123456789abcdef", "GW7100-000431", "37A1B2C4", "E1F20304", "S5GXNX0W812345", "ZC1A0XYZ",
      "0x1f2e3d4c", "02:00:5e", "198.51.100",
    ],
    "vm-guest": ["localhost", "52:54:00"],
  ]

  @Test(arguments: trees, [PrivateFacts.omit, .hash])
  func tellsNothingPrivate(tree: String, choice: PrivateFacts) throws {
    let kept = String(decoding: Self.facts(tree, .keep), as: UTF8.self)
    let told = String(decoding: Self.facts(tree, choice), as: UTF8.self)
    for secret in try #require(Self.secrets[tree]) {
      #expect(kept.contains(secret), "\(secret) is not even there when it is kept")
      #expect(!told.contains(secret), "\(secret) is told")
    }
    // A guest without a machine id has no key, and says nothing then.
    #expect(told.contains(FactPrivacy.mark) == (choice == .hash && tree != "vm-guest"))
  }

  @Test func aDigestIsThatOfAnotherProgram() throws {
    let host = Self.host("pi4")
    let digest = try #require(FactPrivacy(.hash, keyFile: nil, told: ["n"], host: host).shown("d8:3a:dd:01:02:03"))
    // printf d8:3a:dd:01:02:03 | openssl dgst -sha256 -hmac 6f1d2c3b4a5968778695a4b3c2d1e0ff
    #expect(digest == "hash:05abbc4472fd1ca8")
    // The same again, another with another key, and none where the key is known to all.
    #expect(FactPrivacy(.hash, keyFile: nil, told: ["n"], host: host).shown("d8:3a:dd:01:02:03") == digest)
    #expect(
      FactPrivacy(.hash, keyFile: "/proc/sys/kernel/hostname", told: ["n"], host: host).shown("d8:3a:dd:01:02:03") != digest)
    let keyless = FactPrivacy(.hash, keyFile: "/no/such/file", told: ["n"], host: host)
    #expect(keyless.shown("a") == nil && keyless.lacksKey)
    #expect(!FactPrivacy(.hash, keyFile: nil, told: ["n"], host: host).lacksKey)
    #expect(!FactPrivacy(.omit, keyFile: nil, told: ["n"], host: host).lacksKey)
    let texts = [
      "6f1d2c3b4a5968778695a4b3c2d1e0ff", "edge-6f1d2c3b4a5968778695a4b3c2d1e0ff.x", "6F1D2C3B-4a59-6877-8695-a4b3c2d1e0ff",
    ]
    for told in texts {
      #expect(FactPrivacy(.hash, keyFile: nil, told: ["n", told], host: host).shown("a") == nil)
    }
    #expect(FactPrivacy(.hash, keyFile: nil, told: ["n", "edge-6f1d2c3b"], host: host).shown("a") != nil)
    #expect(FactPrivacy(.hash, keyFile: nil, told: ["n"], host: Self.host("vm-guest")).shown("a") == nil)
  }

  @Test(arguments: [
    ("enx001122334455", true), ("wlxd83ADD010205", true), ("enxd83add010205.7", true), ("eth0", false), ("enp3s0f1", false),
    ("wlx12", false), ("x", false), ("", false), ("brx0011223344zz", false),
  ]) func namesMadeOfAddressesAreKnown(name: String, expected: Bool) {
    #expect(InterfaceFacts.holdsMAC(name) == expected)
  }

  @Test func theBoardIsKnownAtOnce() {
    let host = Self.host("x86-gateway")
    let board = BoardFacts(host, privacy: FactPrivacy(.keep, keyFile: nil, told: ["n"], host: host))
    #expect(board.manufacturer == "Example Industrial" && board.model == "EX-7100 Gateway" && board.serial == "GW7100-000431")
    #expect(board.system == "Ubuntu 24.04.2 LTS" && board.kernel == "6.8.0-60-generic")
    let nothing = Platform.Host(root: "/no/such/root")
    let none = BoardFacts(nothing, privacy: FactPrivacy(.keep, keyFile: nil, told: ["n"], host: nothing))
    #expect(none.manufacturer == nil && none.model == nil && none.system == nil && none.kernel == nil)
  }

  @Test func aMachineThatShowsNothingHasFewWords() throws {
    let host = Platform.Host(root: "/no/such/root")
    let privacy = FactPrivacy(.keep, keyFile: nil, told: ["n"], host: host)
    let json = SystemFacts.json(host, privacy: privacy, packages: PackageHistory())
    #expect(
      String(decoding: json, as: UTF8.self)
        == #"{"board":{},"os":{},"cpu":{},"memory":{},"disks":[],"interfaces":[]}"#)
  }

  @Test(arguments: [
    ("  a  b\tc\u{7F}\n", "a b c"), ("Raspberry Pi\0x", "Raspberry Pi"), ("", nil), ("\u{1}", nil),
    ("To Be Filled By O.E.M.", nil),
    ("Default string", nil), ("None", nil), (String(repeating: "é", count: 100), String(repeating: "é", count: 64)),
  ]) func textsAreCleaned(text: String, expected: String?) {
    #expect(MachineText.clean(text) == expected)
  }
}
