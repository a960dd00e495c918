import Buffer
import Telemetry

/// What `godwit buffer info` says.
enum InventoryText {
  static func lines(_ found: BufferInventory, path: String) -> [String] {
    var lines = [
      "\(path): \(Quantity.size(found.pageBytes)), \(Quantity.size(found.freeBytes)) of it free; log \(Quantity.size(found.logBytes))",
      "\(found.series) series, \(counted(found.events, "event"))", "",
    ]
    var table = Table(.left, .right, .right, .right, .right, .right, .left)
    table.add(
      Span("tier"), Span("blocks"), Span("rows"), Span("values"), Span("bytes"), Span("bytes/value"), Span("from, to (UTC)"))
    for (name, part) in parts(found) {
      let wall = part.wall.map { "\(moment($0.lowerBound)), \(moment($0.upperBound))" } ?? "–"
      table.add(
        Span(name), Span("\(part.blocks)"), Span("\(part.rows)"), Span("\(part.values)"), Span(Quantity.size(part.bytes)),
        Span(part.bytesPerValue.map { Quantity.fixed($0, decimals: 3) } ?? "–"), Span(wall))
    }
    lines += table.lines(indent: 2) + [""]
    for (sink, count) in found.pending.sorted(by: { $0.key < $1.key }) {
      lines.append("\(sink): \(count == 0 ? "all delivered" : "\(counted(count, "tick")) pending")")
    }
    if found.pending.isEmpty { lines.append("no uplink has noted a delivery") }
    let damaged = found.parts.reduce(0) { $0 + $1.damagedBlocks }
    if damaged > 0 { lines.append("\(counted(damaged, "block")) cannot be read: godwit buffer verify says which") }
    return lines
  }

  static func json(_ found: BufferInventory, path: String) -> [UInt8] {
    var json = JSONWriter(capacity: 1_024)
    json.beginObject()
    json.member("path", path)
    json.member("bytes", found.pageBytes)
    json.member("free_bytes", found.freeBytes)
    json.member("log_bytes", found.logBytes)
    json.member("series", found.series)
    json.member("events", found.events)
    json.key("tiers")
    json.beginObject()
    for (name, part) in parts(found) {
      json.key(name)
      json.beginObject()
      json.member("blocks", part.blocks)
      json.member("damaged_blocks", part.damagedBlocks)
      json.member("rows", part.rows)
      json.member("values", part.values)
      json.member("bytes", part.bytes)
      json.member("bytes_per_value", part.bytesPerValue)
      json.member("first", part.wall.map { WallTime.text($0.lowerBound) })
      json.member("last", part.wall.map { WallTime.text($0.upperBound) })
      json.endObject()
    }
    json.endObject()
    json.key("pending")
    json.beginObject()
    for (sink, count) in found.pending.sorted(by: { $0.key < $1.key }) { json.member(sink, count) }
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private static func parts(_ found: BufferInventory) -> [(String, BufferInventory.Part)] {
    [("unsealed", found.unsealed)]
      + found.parts.map { part in
        (part.tier == .raw ? "raw" : part.tier == .minute ? "minute" : "hour", part)
      }
  }

  private static func moment(_ time: Int64) -> String {
    let text = WallTime.text(time)
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))"
  }
}
