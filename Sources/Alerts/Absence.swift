/// How long a sensor has answered without a series that it used to report.
///
/// A sample that has more problems than the one with the last value begins the time anew: one of them may be why the value is missing,
/// and not every sample looks again for what it could not read. A problem that was there before, such as a zone that can never be
/// read, is none of this series.
struct Absence {
  /// Of the sample with the series' last value; none is known of before a restart.
  private(set) var problemsBefore = 0
  private var answers = 0
  private var since: Int64?

  init(problemsBefore: Int = 0) { self.problemsBefore = problemsBefore }

  /// Takes a sample without a value.
  ///
  /// - Parameter milliseconds: how long the series is to be missing at least, where that is longer than the usual time.
  /// - Returns: whether the series is gone.
  mutating func counts(_ problems: Int, at now: Int64, atLeast milliseconds: Int64) -> Bool {
    guard problems <= problemsBefore else {
      self = Absence(problemsBefore: problemsBefore)
      return false
    }
    let start = since ?? now
    since = start
    answers += 1
    return answers > AlertLimits.answersUntilGone
      && now - start >= max(AlertLimits.goneMilliseconds, milliseconds)
  }
}
