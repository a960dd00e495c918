/// The processor time that a thread may still take: a share of a core in the long run, more at once after a rest.
///
/// By time and not by number: what a line costs depends on the device and on the line.
struct WorkCredit {
  private let mostNanoseconds: Int64
  private var leftNanoseconds: Int64
  private var settledMilliseconds: Int64?
  private var usedNanoseconds: Int64 = 0

  init(mostNanoseconds: Int64 = CustomLimits.pushCreditNanoseconds) {
    self.mostNanoseconds = mostNanoseconds
    leftNanoseconds = mostNanoseconds
  }

  /// Whether nothing is left.
  var isSpent: Bool { leftNanoseconds <= 0 }

  /// Brings it up to date: `used` is the processor time of the thread since its beginning, nanoseconds; `now` any clock that runs,
  /// milliseconds.
  mutating func settle(used: Int64, at now: Int64) {
    let rested = (now - (settledMilliseconds ?? now)) * 1_000_000 / CustomLimits.pushShare
    leftNanoseconds = min(leftNanoseconds + rested - (used - usedNanoseconds), mostNanoseconds)
    (settledMilliseconds, usedNanoseconds) = (now, used)
  }
}
