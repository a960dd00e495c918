import Buffer

/// How the delivery of one payload stands.
public struct PayloadStatus: Sendable, Equatable {
  /// Owed ranges that are named one by one.
  public static let namedRanges = 5

  /// How its ticks are written.
  public var payload: UplinkSettings.Payload
  /// Ticks owed, in flight included.
  public var owedTicks: UInt64
  /// Ticks sent and not acknowledged.
  public var inFlightTicks: UInt64
  /// How many ranges the owed ticks lie in.
  public var owedRanges: Int
  /// The first of these, at most `namedRanges`.
  public var firstOwed: [ClosedRange<UInt64>]
  /// Ticks acknowledged since the start.
  public var deliveredTicks: UInt64
  /// Ticks owed that exist no more, or that the broker refused.
  public var lostTicks: UInt64
  /// Columns of damaged blocks whose values are lacking in backlog messages sent since the start.
  public var damagedColumns: UInt64

  init(_ payload: UplinkSettings.Payload, _ ledger: DeliveryLedger, owed: [ClosedRange<UInt64>], damagedColumns: UInt64) {
    self.payload = payload
    owedTicks = owed.reduce(0) { $0 + UInt64($1.count) }
    inFlightTicks = ledger.inFlight.reduce(0) { $0 + UInt64($1.count) }
    owedRanges = owed.count
    firstOwed = Array(owed.prefix(PayloadStatus.namedRanges))
    deliveredTicks = ledger.delivered
    lostTicks = ledger.lost
    self.damagedColumns = damagedColumns
  }
}
