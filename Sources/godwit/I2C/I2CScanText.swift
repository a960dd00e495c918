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
    json.key("buses")
    json.beginArray()
    for scan in scans {
      json.beginObject()
      json.member("bus", scan.adapter.number)
      json.member("adapter", scan.adapter.name)
      json.member("problem", scan.problem)
      json.key("found")
      json.beginArray()
      for found in scan.found { write(found, to: &json) }
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ found: I2CScan.Found, to json: inout JSONWriter) {
    json.beginObject()
    json.member("address", address(found.address))
    json.member("driver", found.owner?.driver)
    strings("nodes", found.owner?.nodes ?? [], to: &json)
    strings("chips", found.chips, to: &json)
    json.member("problem", found.problem)
    json.endObject()
  }

  private static func strings(_ key: String, _ values: [String], to json: inout JSONWriter) {
    json.key(key)
    json.beginArray()
    for value in values { json.string(value) }
    json.endArray()
  }
}
