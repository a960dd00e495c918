import Platform
import Telemetry

/// How scans are written.
enum I2CScanText {
  /// A heading a bus, then a line an address.
  static func lines(_ scans: [I2CScan]) -> [String] {
    guard !scans.isEmpty else {
      return ["no I2C bus; docs/i2c.md says how to switch one on"]
    }
    return scans.flatMap { scan in
      var lines = ["bus \(scan.adapter.number)\(scan.adapter.name.isEmpty ? "" : ": \(scan.adapter.name)")"]
      lines += scan.found.map { "  \(address($0.address))  \(text($0))" }
      if let problem = scan.problem { lines.append("  ! \(problem)") }
      if lines.count == 1 { lines.append("  nothing answers") }
      return lines.map { Span($0).text }
    }
  }

  private static func text(_ found: I2CScan.Found) -> String {
    if let other = found.problem ?? found.owner?.description { return other }
    return found.chips.isEmpty ? "answers" : "answers; may be \(found.chips.joined(separator: ", "))"
  }

  /// `0x08`.
  static func address(_ address: UInt8) -> String {
    "0x" + (address < 0x10 ? "0" : "") + String(address, radix: 16)
  }

  /// One object and a line feed.
  static func json(_ scans: [I2CScan]) -> [UInt8] {
    var json = JSONWriter(capacity: 1024)
    json.beginObject()
    json.objects("buses", scans) { json, scan in
      json.member("bus", scan.adapter.number)
      json.member("adapter", scan.adapter.name)
      json.member("problem", scan.problem)
      json.objects("found", scan.found) { json, found in
        json.member("address", address(found.address))
        json.member("driver", found.owner?.driver)
        json.member("nodes", found.owner?.nodes ?? [])
        json.member("chips", found.chips)
        json.member("problem", found.problem)
      }
    }
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
