/// Counts messages of the backlog that the broker acknowledged and the buffer does not know of yet: after a kill they are sent again. A drain
/// waits at a bound, and asks for a commit halfway there.
struct UnsavedDeliveries {
  private var messages = 0
  /// The position on its way to the disk: its mark, how many messages it covers, and since when, CLOCK_BOOTTIME milliseconds.
  private var request: (mark: UInt64, messages: Int, since: Int64)?
  /// A disk that takes longer than `saveSeconds` is not waited for, until it takes something again.
  private var isStuck = false

  /// One more was acknowledged.
  mutating func add() { messages += 1 }

  /// Whether no more may be sent before the disk has caught up.
  func isFull(_ bound: Int, inFlight: Int) -> Bool { !isStuck && messages + inFlight >= bound && request != nil }

  /// Whether it is time to ask for a commit.
  mutating func wantsSave(_ bound: Int, now: Int64) -> Bool {
    guard let request else { return messages >= max(bound / 2, 1) }
    guard now - request.since >= Int64(UplinkLimits.saveSeconds) * 1_000 else { return false }
    isStuck = true
    return true
  }

  /// A commit of a position was asked for.
  mutating func requested(mark: UInt64, now: Int64) { request = (mark, messages, now) }

  /// The disk holds positions up to a mark.
  mutating func saved(_ mark: UInt64) {
    guard let request, mark >= request.mark else { return }
    messages -= request.messages
    self.request = nil
    isStuck = false
  }
}
