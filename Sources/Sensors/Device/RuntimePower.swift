import Platform
import Telemetry

/// Whether a device may be read without waking it or keeping it awake (Documentation/ABI/testing/sysfs-devices-power).
///
/// Many attributes resume a suspended device before they answer, and each read restarts the delay after which an idle one falls
/// asleep: a monitor that asks once a second keeps a graphics card at 10 W and more for ever. So a suspended device is not read;
/// one that was idle when it was read, and may fall asleep, is left alone for twice its delay.
struct RuntimePower {
  enum State {
    case awake
    case asleep
    /// Idle when it was read last, and given the time to fall asleep.
    case resting
  }

  /// No rest is longer than this, whatever the delay: 30 s.
  private static let longestRestNanoseconds: Int64 = 30_000_000_000

  /// Nil where power management is off for the device: it is always awake.
  private let status: HostFile?
  private let restNanoseconds: Int64
  private var restsUntil = Int64.min

  /// Looks at `<device>/power/`. With `letSleep` false the device is kept awake by being read, but still not woken.
  init(device: String, host: Host, letSleep: Bool) {
    guard host.line("\(device)/power/control") == "auto", host.exists("\(device)/power/runtime_status") else {
      status = nil
      restNanoseconds = 0
      return
    }
    status = host.file("\(device)/power/runtime_status", limit: 64)
    // EIO where the driver has no such delay: then the device sleeps as soon as the read is over.
    let delay = letSleep ? (try? host.file("\(device)/power/autosuspend_delay_ms").integer()) ?? 0 : 0
    restNanoseconds = min(max(delay, 0), Self.longestRestNanoseconds / 2_000_000) * 2_000_000
  }

  /// What may be done now.
  func state(at now: Int64) -> State {
    guard let status else { return .awake }
    // `suspended` and `suspending`; unreadable is not held for asleep, for then nothing would ever be read.
    if (try? status.read { (text) throws(SensorError) in text.skip("suspend") }) == true { return .asleep }
    return now < restsUntil ? .resting : .awake
  }

  /// To be called after a read that found the device idle.
  mutating func rest(from now: Int64) {
    if restNanoseconds > 0 { restsUntil = now + restNanoseconds }
  }
}
