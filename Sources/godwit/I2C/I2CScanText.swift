import Platform
import Telemetry

/// How scans are written.
enum I2CScanText {
  /// A heading a bus, then a line an address.
  static func lines(_ scans: [I2CScan]) -> [String] {
    guard !scans.isEmpty else { return ["no I2C bus"] }
    return scans.flatMap { scan in
      var lines = ["bus \(scan.adapter.number)\(scan.adapter.name.isEmpty ? "" : ": \(scan.adapter.name)")"]
      var table = Table(.left, .left)
      for found in scan.found { table.add(Span(address(found.address)), Span(text(found))) }
      lines += table.lines(indent: 2)
      if let problem = scan.problem { lines.append("  ! \(problem)") }
      return lines.count == 1 ? lines + ["  nothing answers"] : lines
    }
  }

  private static func text(_ found: I2CScan.Found) -> String {
    found.problem ?? found.owner?.description ?? "answers"
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
    json.key("nodes")
    json.beginArray()
    for node in found.owner?.nodes ?? [] { json.string(node) }
    json.endArray()
    json.member("problem", found.problem)
    json.endObject()
  }
}
