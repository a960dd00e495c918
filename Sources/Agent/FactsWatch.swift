import Platform
import Profile
import Sensors
import Synchronization

/// Looks for the facts of the system on a thread of its own: at the start, then every `identity.every`. The tick only takes what is ready.
final class FactsWatch {
  /// What passes between the tick and the thread.
  private final class Look: Sendable {
    let found = Mutex<[UInt8]?>(nil)
    let lacksKey = Atomic<Bool>(false)
    let isDone = Atomic<Bool>(false)
  }

  private let context: SensorContext
  private var look: Look?
  private var asked: (settings: IdentityProfile, told: [String])?
  private var notBefore: Int64 = .min
  /// What was found last, as JSON; nil when nothing was, or nothing is to be told.
  private(set) var facts: [UInt8]?
  /// Whether private facts were left out because there is no key for their digests.
  private(set) var lacksKey = false

  init(_ context: SensorContext) { self.context = context }

  /// Takes what was found, and looks again when it is time; `now` is CLOCK_BOOTTIME nanoseconds. What was found under other settings is
  /// forgotten at once.
  ///
  /// - Returns: whether there is anything new to tell.
  func tick(now: Int64, _ profile: Profile) -> Bool {
    let before = facts
    let settings = profile.uplink == nil ? nil : profile.identity
    if asked?.settings != settings || asked?.told != profile.told {
      facts = nil
      notBefore = .min
    }
    if let ended = look, ended.isDone.load(ordering: .acquiring) {
      look = nil
      if notBefore > .min {
        facts = ended.found.withLock { $0 }
        lacksKey = ended.lacksKey.load(ordering: .relaxed)
      }
    }
    // One thread at a time: should a file hang, no other hangs at it.
    if let settings, look == nil, now >= notBefore {
      notBefore = now + Int64(settings.everyMilliseconds) * 1_000_000
      asked = (settings, profile.told)
      start(settings, profile.told)
    }
    return facts != before
  }

  private func start(_ settings: IdentityProfile, _ told: [String]) {
    let look = Look()
    let context = context
    let isStarted = Thread.start(name: "identity") {
      let privacy = FactPrivacy(settings.privateFacts, keyFile: settings.keyFile, told: told, host: context.host)
      let found = SystemFacts.json(context.host, privacy: privacy, packages: context.packages)
      look.found.withLock { $0 = found }
      look.lacksKey.store(privacy.lacksKey, ordering: .relaxed)
      look.isDone.store(true, ordering: .releasing)
    }
    if isStarted { self.look = look }
  }
}
