import Buffer

/// Writes ticks as `packed`: live ones against the tick before, stored ones as the blocks in which they lie.
struct PackedPayload {
  private var encoder: PackedLiveEncoder?
  private var series: [StoredSeries] = []
  private var backlog: PackedBacklog?
  private var file = 0

  /// Series of this run; those known already are skipped.
  mutating func learn(_ more: [StoredSeries]) {
    let new = more.drop { $0.id < series.count }
    series += new
    encoder?.learn(Array(new))
  }

  /// One live tick.
  mutating func live(_ tick: LiveTick, boot: String) -> [UInt8] {
    var encoder = self.encoder ?? fresh(boot)
    // Taken out, so that its tables are not copied.
    self.encoder = nil
    defer { self.encoder = encoder }
    return encoder.encode(tick)
  }

  private func fresh(_ boot: String) -> PackedLiveEncoder {
    var encoder = PackedLiveEncoder(boot: boot)
    encoder.learn(series)
    return encoder
  }

  /// The next live message is a key: a new connection, or one that did not arrive.
  mutating func requireKey() { encoder?.requireKey() }

  /// The first message of an owed range.
  mutating func backlog(
    _ owed: ClosedRange<UInt64>, _ size: MessageSize, from source: BufferSource
  ) throws(BufferError) -> BacklogPiece {
    let reader = try source.open()
    if file != source.file || backlog == nil { backlog = PackedBacklog(reader) }
    file = source.file
    let before = backlog?.damagedValues ?? 0
    let piece = try backlog?.message(owed, mostBytes: size.packedBytes, mostTicks: size.ticks)
    switch piece {
    case .message(let range, let ticks, let bytes):
      return .message(range, ticks: ticks, damaged: (backlog?.damagedValues ?? before) - before, payload: bytes)
    case .gone(let range, let ticks): return .gone(range, ticks: ticks)
    case nil: return .gone(owed, ticks: UInt64(owed.count))
    }
  }

  /// Nothing is owed: what was held for the next message is let go.
  mutating func rest() { backlog = nil }
}
