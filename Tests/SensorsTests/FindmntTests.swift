import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The mounts of this machine as `findmnt` of util-linux sees them.
@Suite struct FindmntTests {
  private struct Row: Decodable {
    let target, fstype: String
    let options: String?

    private enum CodingKeys: String, CodingKey {
      case target, fstype
      case options = "fs-options"
    }
  }

  private struct Table: Decodable {
    let filesystems: [Row]
  }

  @Test func agreesOnPlacesTypesAndWhatIsReadOnly() throws {
    let answer: ProgramAnswer
    do {
      answer = try Host().program(
        "findmnt", ["--json", "--list", "--output", "TARGET,FSTYPE,FS-OPTIONS"], timeoutMilliseconds: 20_000)
    } catch {
      print("skipped: findmnt is not there")
      return
    }
    // Programs run in `/` of the same namespace: the table is the same.
    let rows = try JSONDecoder().decode(Table.self, from: Data(answer.output)).filesystems
    let file = Host().file("/proc/self/mountinfo", limit: 4 << 20)
    let mounts = try file.read { (text) throws(SensorError) in try MountTable.parse(&text, path: "mountinfo") }
    #expect(rows.count > 1)
    let theirs = rows.map { row in
      let isReadOnly = (row.options ?? "").split(separator: ",").contains("ro")
      return "\(row.target) \(row.fstype) \(isReadOnly)"
    }
    let ours = mounts.map { "\($0.path) \($0.type) \($0.readOnly)" }
    #expect(theirs.sorted() == ours.sorted())
  }
}
