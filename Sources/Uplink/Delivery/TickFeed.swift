import Buffer

/// One payload's way to the broker: its own messages, and its own account of what was acknowledged.
struct TickFeed {
  let payload: UplinkSettings.Payload
  var ledger: DeliveryLedger
  var size = MessageSize()
  /// How many ticks the last full message of the backlog held.
  private(set) var usualTicks: UInt64 = 16
  /// Columns or values that are damaged and lacking in what was sent of the backlog.
  var damaged: UInt64 = 0
  // Side by side instead of in an enumeration: taking one out of a case would copy its tables at each tick.
  private var json: JSONPayload?
  private var packed: PackedPayload?

  init(_ payload: UplinkSettings.Payload, ledger: DeliveryLedger) {
    self.payload = payload
    self.ledger = ledger
    switch payload {
    case .json: json = JSONPayload()
    case .packed: packed = PackedPayload()
    // The node of the connection makes the messages.
    case .sparkplug: break
    }
  }

  /// The topic levels of live ticks and of the backlog.
  var topics: (live: String, backlog: String) {
    switch payload {
    case .json: ("metrics", "backlog")
    case .packed: ("packed/metrics", "packed/backlog")
    case .sparkplug: ("", "")
    }
  }

  /// Series of this run; those known already are skipped.
  mutating func learn(_ series: [StoredSeries]) {
    json?.learn(series)
    packed?.learn(series)
  }

  /// One live tick.
  mutating func live(_ tick: LiveTick, boot: String) -> [UInt8] {
    json?.live(tick, boot: boot) ?? packed?.live(tick, boot: boot) ?? []
  }

  /// A live message did not arrive: no later one may count on it.
  mutating func requireKey() { packed?.requireKey() }

  /// The first message of an owed range.
  mutating func backlog(_ owed: ClosedRange<UInt64>, from source: BufferSource) throws(BufferError) -> BacklogPiece {
    let piece =
      try json?.backlog(owed, size, from: source) ?? packed?.backlog(owed, size, from: source)
      ?? .gone(owed, ticks: UInt64(owed.count))
    // Newest first, a message must be filled from its end: as many ticks as one held lately, or some more.
    if case .message(let range, let ticks, _, _) = piece {
      usualTicks = range.upperBound < owed.upperBound ? max(ticks, 1) : max(usualTicks, min(ticks * 2, size.ticks))
    }
    return piece
  }

  /// Nothing is owed: what was held for the next message is let go.
  mutating func rest() {
    json?.rest()
    packed?.rest()
  }
}
