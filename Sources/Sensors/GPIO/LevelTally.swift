import Platform

/// What became of an input whose level lasts: a door, a leak, the mains.
///
/// Debouncing by the edges' times, where the kernel does not do it: a level counts once it lasted `debounce`, from its edge on. No timer is
/// needed for that: whoever asks says what time it is.
struct LevelTally {
  private let debounce: Int64
  /// The level that counts.
  private(set) var isActive = false
  /// How often it became active.
  private(set) var activations: UInt64 = 0
  private var activeNanoseconds: Int64 = 0
  private var activeSince: Int64 = 0
  /// Active at some moment since the last `take`.
  private var wasActive = false
  /// The level of the newest edge and its time: counts when it lasts.
  private var latest = false
  private var latestSince: Int64 = 0

  /// What a sample tells.
  struct Values: Equatable {
    var isActive: Bool
    var wasActive: Bool
    var activations: UInt64
    var activeSeconds: Double
  }

  /// - Parameter debounce: nanoseconds; 0 when the kernel does it.
  init(debounce: Int64) { self.debounce = debounce }

  /// Takes up a line whose level was read at `now`. Not an activation: it may have been so for days.
  mutating func begin(isActive: Bool, at now: Int64) {
    (latest, latestSince) = (isActive, now)
    if isActive { enter(at: now) }
    self.isActive = isActive
  }

  /// Takes an edge.
  mutating func take(isRising: Bool, at time: Int64) {
    settle(at: time)
    (latest, latestSince) = (isRising, time)
    if debounce == 0 { settle(at: time) }
  }

  /// Takes a level that was read because edges were lost.
  mutating func correct(isActive: Bool, at now: Int64) {
    settle(at: now)
    // Levels came and went unseen: a tamper must not be missed for it.
    wasActive = true
    (latest, latestSince) = (isActive, now)
    if debounce == 0 { settle(at: now) }
  }

  /// The line is gone: what is known ends here.
  mutating func end(at now: Int64) {
    settle(at: now)
    if isActive { activeNanoseconds += max(now - activeSince, 0) }
    isActive = false
    latest = false
  }

  /// What happened up to `now`.
  mutating func values(at now: Int64) -> Values {
    settle(at: now)
    defer { wasActive = isActive }
    let lasting = isActive ? max(now - activeSince, 0) : 0
    return Values(
      isActive: isActive, wasActive: wasActive || isActive, activations: activations,
      activeSeconds: Double(activeNanoseconds + lasting) / 1e9)
  }

  private mutating func settle(at now: Int64) {
    guard latest != isActive, now - latestSince >= debounce else { return }
    isActive = latest
    if isActive {
      activations += 1
      enter(at: latestSince)
    } else {
      activeNanoseconds += max(latestSince - activeSince, 0)
    }
  }

  private mutating func enter(at time: Int64) {
    activeSince = time
    wasActive = true
  }
}
