import Buffer

/// One payload's way to the broker: its own messages, and its own account of what was acknowledged.
struct TickFeed {
  let payload: UplinkSettings.Payload
  var ledger: DeliveryLedger
  var size = MessageSize()
  /// How many ticks the last full message of the backlog held.
  private(set) var usualTicks: UInt64 = 16
  // Side by side instead of in an enumeration: taking one out of a case would copy its tables at each tick.
  private var json: JSONPayload?

  init(_ payload: UplinkSettings.Payload, ledger: DeliveryLedger) {
    self.payload = payload
    self.ledger = ledger
    switch payload {
    case .json: json = JSONPayload()
    }
  }

  /// The topic levels of live ticks and of the backlog.
  var topics: (live: String, backlog: String) {
    switch payload {
    case .json: ("metrics", "backlog")
    }
  }

  /// Series of this run; those known already are skipped.
  mutating func learn(_ series: [StoredSeries]) { json?.learn(series) }

  /// One live tick.
  mutating func live(_ tick: LiveTick, boot: String) -> [UInt8] { json?.live(tick, boot: boot) ?? [] }

  /// The first message of an owed range.
  mutating func backlog(_ owed: ClosedRange<UInt64>, from source: BufferSource) throws(BufferError) -> BacklogPiece {
    let piece = try json?.backlog(owed, size, from: source) ?? .gone(owed, ticks: UInt64(owed.count))
    // Newest first, a message must be filled from its end: as many ticks as one held lately, or some more.
    if case .message(let range, let ticks, _, _) = piece {
      usualTicks = range.upperBound < owed.upperBound ? max(ticks, 1) : max(usualTicks, min(ticks * 2, size.ticks))
    }
    return piece
  }

  /// Nothing is owed: what was held for the next message is let go.
  mutating func rest() { json?.rest() }
}
