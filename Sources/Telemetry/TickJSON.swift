extension JSONWriter {
  /// Begins a tick, on the wire and in exports alike: `{"t":…,"boot":…,"seq":…,"q":…,"m":`. Its values and the end of the object follow.
  public mutating func beginTick(wallMilliseconds: Int64, boot: String, sequence: UInt64, synced: Bool) {
    beginObject()
    key("t")
    raw([UInt8(ascii: "\"")] + WallTime.bytes(wallMilliseconds) + [UInt8(ascii: "\"")])
    key("boot")
    string(boot)
    key("seq")
    integer(sequence)
    key("q")
    string(synced ? "synced" : "unsynced")
    key("m")
  }
}

/// Writes ticks as JSON with the series' keys as names, for exports and bundles: `{"t":…,"boot":…,"seq":…,"q":…,"m":{key: value, …}}`.
public struct TickJSON: Sendable {
  private var keys: [[UInt8]] = []

  /// Knows no series yet.
  public init() {}

  /// How many series are known.
  public var seriesCount: Int { keys.count }

  /// Makes series known by their keys; they follow on from those known already.
  public mutating func learn(_ seriesKeys: some Sequence<String>) {
    for key in seriesKeys {
      var writer = JSONWriter()
      writer.string(key)
      keys.append(writer.bytes)
    }
  }

  /// Appends one tick. Missing values are left out; NaN and infinities are `null`. `only` picks series by position.
  public func append(
    to writer: inout JSONWriter, wallMilliseconds: Int64, boot: String, sequence: UInt64, synced: Bool, values: [Double],
    only: [Bool]? = nil
  ) {
    writer.beginTick(wallMilliseconds: wallMilliseconds, boot: boot, sequence: sequence, synced: synced)
    writer.beginObject()
    for index in 0..<min(values.count, keys.count) where !values[index].isMissing {
      if let only, !only[index] { continue }
      writer.key(raw: keys[index][...])
      writer.number(values[index])
    }
    writer.endObject()
    writer.endObject()
  }
}
