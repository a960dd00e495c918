import Telemetry

/// What is announced on one discovery topic. A device is announced in parts: one for each family of series, more where a family
/// has many, and one for each rule and command. What belongs to which part depends on nothing that a restart or another series
/// changes: Home Assistant takes a thing that moves to another topic for a repeat of itself, and refuses it.
struct HomeAssistantPart: Sendable {
  enum Content: Equatable, Sendable {
    /// Series by their ids; some may not be present.
    case series([Int])
    case rule(String)
    case command(HomeAssistantSettings.Command)
    /// A rule or command that was taken away.
    case nothing
  }

  var content: Content
  /// What was taken away, by id: whether a message has said so.
  var gone: [HomeAssistantComponent.Gone: Bool] = [:]
  /// CLOCK_BOOTTIME milliseconds since when it differs from what was sent last; nil when it does not.
  private(set) var changedAt: Int64?
  /// When it was sent last; nil before the first time.
  private(set) var sentAt: Int64?
  /// Whether its topic holds a message of this node.
  private(set) var isAnnounced = false

  init(_ content: Content) { self.content = content }

  /// When it is to be sent; nil: not.
  var due: Int64? {
    guard let changedAt else { return nil }
    let settled = changedAt + UplinkLimits.homeAssistantSettleMilliseconds
    return max(
      settled, (sentAt ?? settled - UplinkLimits.homeAssistantPauseMilliseconds) + UplinkLimits.homeAssistantPauseMilliseconds)
  }

  mutating func change(now: Int64) { if changedAt == nil { changedAt = now } }

  /// On a new connection nothing is known to have arrived.
  mutating func reconnect(now: Int64) {
    sentAt = nil
    changedAt = now - UplinkLimits.homeAssistantSettleMilliseconds
    for key in gone.keys { gone[key] = false }
  }

  mutating func sent(now: Int64, isEmpty: Bool) {
    sentAt = now
    isAnnounced = !isEmpty
    for key in gone.keys { gone[key] = true }
    // A second message without what was taken away follows.
    changedAt = gone.isEmpty ? nil : now
  }

  /// What an earlier message said was taken away is left out of the next one.
  mutating func forgetSaid() { gone = gone.filter { !$0.value } }

  /// Another topic: nothing was announced there.
  mutating func restart(now: Int64) {
    gone = [:]
    sentAt = nil
    isAnnounced = false
    changedAt = now - UplinkLimits.homeAssistantSettleMilliseconds
  }
}

/// A topic under a former name of the node: it is emptied in two steps, like anything that is taken away.
struct HomeAssistantFarewell: Sendable {
  let part: String
  let settings: HomeAssistantSettings
  let gone: [HomeAssistantComponent.Gone]
  /// When the empty message is due; nil before the first step.
  var emptyAt: Int64?
}
