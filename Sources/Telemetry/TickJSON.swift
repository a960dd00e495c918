/// Writes ticks as JSON: `{"t":…,"boot":…,"seq":…,"q":…,"m":{key: value, …}}`, on the wire and in exports alike.
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
    writer.beginObject()
    writer.key("t")
    writer.raw([UInt8(ascii: "\"")] + WallTime.bytes(wallMilliseconds) + [UInt8(ascii: "\"")])
    writer.key("boot")
    writer.string(boot)
    writer.key("seq")
    writer.integer(sequence)
    writer.key("q")
    writer.string(synced ? "synced" : "unsynced")
    writer.key("m")
    writer.beginObject()
    for index in 0..<min(values.count, keys.count) where !values[index].isMissing {
      if let only, !only[index] { continue }
      writer.key(raw: keys[index])
      writer.number(values[index])
    }
    writer.endObject()
    writer.endObject()
  }
}
