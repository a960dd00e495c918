import Foundation
import Platform
import Sensors
import Telemetry
import Testing

@testable import godwit

@Suite struct IdentityTests {
  @Test func factsAreLinesForPeople() {
    let json =
      #"{"os":{"name":"X"},"cpu":{"base_hertz":3000000000,"cores":2},"disks":[{"bytes":1073741824}],"reboot_required":true}"#
    #expect(
      IdentityCommand.text(Array(json.utf8)) == """
        os.name          X
        cpu.base_hertz   3 GHz
        cpu.cores        2
        disks.0.bytes    1 GiB
        reboot_required  yes

        """)
  }

  @Test(arguments: [40, 60, 80]) func aLongFactRunsOnBelowItself(width: Int) {
    let features = (0..<60).map { "feature\($0)" }.joined(separator: " ")
    let json = Array(#"{"cpu":{"features":"\#(features)","model":"M"}}"#.utf8)
    let lines = IdentityCommand.text(json, width: width).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= width })
    #expect(lines.joined(separator: " ").split(separator: " ") == ("cpu.features \(features) cpu.model M").split(separator: " "))
    // On no terminal a fact is a line.
    #expect(IdentityCommand.text(json) == "cpu.features  \(features)\ncpu.model     M\n")
  }

  /// A recorded tree gives its text; refreshed with GODWIT_REFRESH=1, then read by a person.
  @Test(arguments: ["pi4", "x86-gateway", "vm-guest"]) func aTreeGivesItsText(tree: String) throws {
    let host = Host(root: HardwareFileTests.repository.appendingPathComponent("Tests/Fixtures/identity/\(tree)").path)
    let privacy = FactPrivacy(.hash, keyFile: nil, told: [], host: host)
    let facts = SystemFacts.json(host, privacy: privacy, packages: PackageHistory())
    try DetectionTests.compare(IdentityCommand.text(facts), with: "identity-\(tree).txt")
  }
}
