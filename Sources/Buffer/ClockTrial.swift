/// Whether ticks of earlier boots may age by the wall clock.
///
/// A clock can be marked as synchronised and be years ahead: a bad server, a battery clock that nobody set. All that earlier boots left would
/// then be too old at once. So when this boot seems to have begun later after the boot before it than ticks are kept at all, the clock has to
/// stay where it is for an hour (`BufferLimits.clockTrialMilliseconds`), seen by this writer. A device that lay in a drawer for a month gives
/// its old ticks up an hour later; one whose clock is put right within the hour loses nothing. A shorter jump makes nothing older than it
/// may be by more than that, and is taken as it is. Ticks of the running boot age without any wall clock, and bytes are made room for all
/// the same.
struct ClockTrial {
  private var begun: (boot: String, offset: Int64, at: Int64)?

  /// The wall clock, as far as earlier boots may age by it; nil when not.
  ///
  /// - Parameters:
  ///   - now: Unix milliseconds; nil while the clock is not synchronised.
  ///   - bootNow: CLOCK_BOOTTIME milliseconds.
  ///   - retain: milliseconds for which ticks are kept.
  mutating func trusted(_ now: Int64?, _ epochs: [Epoch], boot: String, bootNow: Int64, retain: Int) -> Int64? {
    guard let now else {
      begun = nil
      return nil
    }
    let offset = now.subtractingSaturated(bootNow)
    let drift = begun.map { offset.subtractingSaturated($0.offset).magnitude } ?? .max
    if begun?.boot != boot || drift > UInt64(BufferLimits.clockTrialDriftMilliseconds) {
      begun = (boot, offset, bootNow)
    }
    guard let earlier = epochs.last(where: { $0.boot != boot && $0.synced }) else { return now }
    let first = epochs.first { $0.boot == boot }
    let start = (first?.fromMilliseconds ?? bootNow) &+ offset
    let pause = start.subtractingSaturated(earlier.fromMilliseconds &+ earlier.offsetMilliseconds)
    guard pause > Int64(clamping: retain), let begun, bootNow &- begun.at < BufferLimits.clockTrialMilliseconds else {
      return now
    }
    return nil
  }
}
