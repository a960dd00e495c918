import Buffer
import Telemetry

/// Writes ticks as JSON: `{"t":…,"boot":…,"seq":…,"q":…,"m":{family:{quantity:value,…},…}}`.
struct JSONPayload {
  /// The series of this run, for live ticks.
  private var live = MetricTree()
  /// The series of the file, for the backlog.
  private var stored = MetricTree()
  private var file = 0
  private var walk: TickWalk?
  private var writer = JSONWriter()

  /// Series of this run; those known already are skipped.
  mutating func learn(_ series: [StoredSeries]) { live.learn(series) }

  /// One live tick.
  mutating func live(_ tick: LiveTick, boot: String) -> [UInt8] {
    writer.clear()
    Self.append(tick, boot, live, to: &writer)
    return writer.bytes
  }

  /// The first message of an owed range: `{"first":…,"last":…,"ticks":[…]}`, with `"damaged_columns":…` before the ticks where values are
  /// lacking because the buffer is damaged.
  mutating func backlog(
    _ owed: ClosedRange<UInt64>, _ size: MessageSize, from source: BufferSource
  ) throws(BufferError) -> BacklogPiece {
    let reader = try source.open()
    if file != source.file { (stored, walk, file) = (MetricTree(), nil, source.file) }
    let walk: TickWalk
    if let known = self.walk, known.next == owed.lowerBound, known.range.contains(known.next),
      known.range.upperBound <= owed.upperBound
    {
      walk = known
    } else {
      walk = TickWalk(owed, of: reader)
    }
    self.walk = nil
    var body = JSONWriter(capacity: size.bytes * 5 / 4)
    var range: ClosedRange<UInt64>?
    var ticks: UInt64 = 0
    var damaged = 0
    body.beginArray()
    while body.bytes.count < size.bytes, ticks < size.ticks, let tick = try walk.take() {
      // The reader takes up series that were named after it was opened.
      stored.learn(reader.series.dropFirst(stored.seriesCount))
      Self.append(
        LiveTick(
          sequence: tick.sequence, wallMilliseconds: tick.wallMilliseconds, synced: tick.epoch.synced, values: tick.values),
        tick.epoch.boot, stored, to: &body)
      range = (range?.lowerBound ?? tick.sequence)...tick.sequence
      ticks += 1
      damaged = max(damaged, walk.damagedColumns)
    }
    body.endArray()
    guard let range else {
      // What was committed since the walk began is not gone.
      let gone = owed.lowerBound...walk.range.upperBound
      return .gone(gone, ticks: UInt64(gone.count))
    }
    self.walk = walk
    var message = JSONWriter(capacity: body.bytes.count + 64)
    message.beginObject()
    message.member("first", range.lowerBound)
    message.member("last", range.upperBound)
    if damaged > 0 { message.member("damaged_columns", damaged) }
    message.key("ticks")
    message.raw(body.bytes)
    message.endObject()
    return .message(owed.lowerBound...range.upperBound, ticks: ticks, damaged: UInt64(damaged), payload: message.bytes)
  }

  /// Nothing is owed: what was held for the next message is let go.
  mutating func rest() { walk = nil }

  private static func append(_ tick: LiveTick, _ boot: String, _ tree: MetricTree, to writer: inout JSONWriter) {
    writer.beginTick(
      wallMilliseconds: tick.wallMilliseconds, boot: boot, sequence: tick.sequence, synced: tick.synced)
    tree.append(tick.values, to: &writer)
    writer.endObject()
  }
}
