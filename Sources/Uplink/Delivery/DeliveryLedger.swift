public import Buffer

/// Which ticks the broker has acknowledged, which are on their way and which are owed. No I/O.
///
/// Every tick of the run is in exactly one of four places: below `next` and acknowledged, in flight, owed, or not below `next` yet.
public struct DeliveryLedger: Sendable {
  /// The first tick that was neither sent nor noted as owed.
  public private(set) var next: UInt64
  /// Undelivered ranges below `next`, ascending, apart from each other.
  public private(set) var owed: [ClosedRange<UInt64>] = []
  /// Ranges sent and not acknowledged.
  public private(set) var inFlight: [ClosedRange<UInt64>] = []
  /// Ticks acknowledged.
  public private(set) var delivered: UInt64 = 0
  /// Ticks that are owed but exist no more.
  public private(set) var lost: UInt64 = 0
  /// Counts what happened: the same number, the same ledger.
  public private(set) var changes: UInt64 = 0
  /// Below this nothing is known of earlier ticks; 0 once the buffer was read.
  private var from: UInt64

  /// Starts a run: what the position left undelivered up to the last committed tick is owed.
  public init(position: DeliveryPosition?, lastCommitted: UInt64?, firstOfRun: UInt64) {
    next = firstOfRun
    from = firstOfRun
    if let lastCommitted { inherit(position ?? DeliveryPosition(), lastCommitted: lastCommitted) }
  }

  /// What an earlier run left undelivered up to its last committed tick is owed: at the start, or when the buffer could only be
  /// opened later.
  ///
  /// - Returns: false when that was known already.
  @discardableResult
  public mutating func inherit(_ position: DeliveryPosition, lastCommitted: UInt64) -> Bool {
    guard from > 0 else { return false }
    // Numbers begin at 1. Nothing of an earlier run has a number of this one.
    let last = min(lastCommitted, from - 1)
    from = 0
    changes += 1
    guard last >= 1 else { return true }
    let earlier = 1...last
    for range in position.owed where range.overlaps(earlier) { owe(range.clamped(to: earlier)) }
    let rest = max(position.next, 1)
    if rest <= earlier.upperBound { owe(rest...earlier.upperBound) }
    return true
  }

  /// How many ticks are owed.
  public var owedTicks: UInt64 { owed.reduce(0) { $0 + UInt64($1.count) } }

  /// What a restart has to know. Ticks in flight count as owed.
  public func position(event: UInt64) -> DeliveryPosition {
    var copy = self
    copy.loseAll()
    var position = DeliveryPosition(next: next, owed: copy.owed, event: event)
    position.from = from
    return position
  }

  /// A new tick came and is sent. Ticks that never came by here in between were refused for want of room: they are owed.
  public mutating func send(live sequence: UInt64) {
    guard note(sequence) else { return }
    inFlight.append(sequence...sequence)
  }

  /// A new tick came and cannot be sent now.
  public mutating func owe(live sequence: UInt64) {
    guard note(sequence) else { return }
    owe(sequence...sequence)
  }

  /// A receiver wants ticks again: they are owed once more. Those in flight come anyway, those not below `next` in their turn.
  public mutating func owe(again range: ClosedRange<UInt64>) {
    guard range.lowerBound < next else { return }
    changes += 1
    var parts = [range.lowerBound...min(range.upperBound, next - 1)]
    for flying in inFlight { parts = parts.flatMap { Self.part($0, without: flying) } }
    for part in parts { owe(part) }
  }

  private static func part(_ range: ClosedRange<UInt64>, without hole: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    guard range.overlaps(hole) else { return [range] }
    var parts: [ClosedRange<UInt64>] = []
    if range.lowerBound < hole.lowerBound { parts.append(range.lowerBound...(hole.lowerBound - 1)) }
    if range.upperBound > hole.upperBound { parts.append((hole.upperBound + 1)...range.upperBound) }
    return parts
  }

  /// Part of what is owed is sent.
  public mutating func send(owed range: ClosedRange<UInt64>) {
    changes += 1
    remove(range)
    inFlight.append(range)
  }

  /// The broker acknowledged a range that is in flight; `ticks` of it existed, the rest is lost. Not before: it may be sent again.
  public mutating func acknowledge(_ range: ClosedRange<UInt64>, ticks: UInt64) {
    guard let position = inFlight.firstIndex(of: range) else { return }
    inFlight.remove(at: position)
    changes += 1
    delivered += ticks
    lost += UInt64(range.count) - min(ticks, UInt64(range.count))
  }

  /// A range in flight is not coming back: the link or the broker lost it.
  public mutating func lose(_ range: ClosedRange<UInt64>) {
    guard let position = inFlight.firstIndex(of: range) else { return }
    inFlight.remove(at: position)
    changes += 1
    owe(range)
  }

  /// The connection broke: all that was in flight is owed again.
  public mutating func loseAll() {
    changes += 1
    let ranges = inFlight
    inFlight = []
    for range in ranges { owe(range) }
  }

  /// The broker refuses a range for good, or it exists no more: it will not be sent again.
  public mutating func abandon(_ range: ClosedRange<UInt64>, ticks: UInt64) {
    changes += 1
    if let position = inFlight.firstIndex(of: range) { inFlight.remove(at: position) }
    remove(range)
    lost += ticks
  }

  /// The first owed range that is committed, at most up to `committed`.
  public func firstOwed(committed: UInt64) -> ClosedRange<UInt64>? {
    guard let first = owed.first, first.lowerBound <= committed else { return nil }
    return first.lowerBound...min(first.upperBound, committed)
  }

  /// The newest owed ticks that are committed, at most so many.
  public func lastOwed(committed: UInt64, ticks: UInt64) -> ClosedRange<UInt64>? {
    guard let last = owed.last(where: { $0.lowerBound <= committed }) else { return nil }
    let upper = min(last.upperBound, committed)
    return max(last.lowerBound, upper - min(upper, max(ticks, 1) - 1))...upper
  }

  private mutating func note(_ sequence: UInt64) -> Bool {
    guard sequence >= next else { return false }
    changes += 1
    if sequence > next { owe(next...(sequence - 1)) }
    next = sequence + 1
    return true
  }

  /// Adds a range, joining neighbours. Beyond `owedRanges` the nearest neighbours are joined: a repeat is better than a loss.
  private mutating func owe(_ range: ClosedRange<UInt64>) {
    var low = range.lowerBound
    var high = range.upperBound
    var start = owed.count
    // New ranges nearly always come at the end.
    while start > 0, owed[start - 1].upperBound >= low || owed[start - 1].upperBound + 1 == low { start -= 1 }
    var end = start
    while end < owed.count, owed[end].lowerBound <= high || owed[end].lowerBound == high + 1 {
      low = min(low, owed[end].lowerBound)
      high = max(high, owed[end].upperBound)
      end += 1
    }
    owed.replaceSubrange(start..<end, with: [low...high])
    if owed.count > BufferLimits.owedRanges { joinNearest() }
  }

  private mutating func joinNearest() {
    guard let index = (1..<owed.count).min(by: { gap(before: $0) < gap(before: $1) }) else { return }
    owed[index - 1] = owed[index - 1].lowerBound...owed[index].upperBound
    owed.remove(at: index)
  }

  private func gap(before index: Int) -> UInt64 { owed[index].lowerBound - owed[index - 1].upperBound }

  private mutating func remove(_ range: ClosedRange<UInt64>) {
    var kept: [ClosedRange<UInt64>] = []
    for part in owed {
      guard part.overlaps(range) else {
        kept.append(part)
        continue
      }
      if part.lowerBound < range.lowerBound { kept.append(part.lowerBound...(range.lowerBound - 1)) }
      if part.upperBound > range.upperBound { kept.append((range.upperBound + 1)...part.upperBound) }
    }
    owed = kept
  }
}
