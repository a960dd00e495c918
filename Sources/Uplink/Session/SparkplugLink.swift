import Buffer

/// What a Sparkplug connection carries: the node's state machine, and what was sent and is not confirmed.
///
/// Data have QoS 0 by the specification. A broker takes the packets of a connection in their order, so the answer to a later request says
/// that it has read all before it. The request is to end a subscription that never was: it changes nothing and is always answered.
struct SparkplugLink {
  var node: SparkplugNode
  /// The series of this run.
  private var series: [StoredSeries] = []
  /// Ticks sent on this connection, oldest first.
  private(set) var unconfirmed: [SparkplugSent] = []
  /// How many of these the request under way covers.
  private var asked = 0
  private var askedAt: Int64 = 0
  /// The file whose series the node knows.
  var file = 0

  init?(_ settings: UplinkSettings, lastBirthDeathSequence: UInt8?) {
    guard let sparkplug = settings.sparkplug,
      let topics = SparkplugTopics(group: sparkplug.group, node: settings.node, primaryHost: sparkplug.primaryHost)
    else { return nil }
    node = SparkplugNode(
      topics: topics, facts: sparkplug.facts.map { ($0.name, $0.value) }, lastBirthDeathSequence: lastBirthDeathSequence)
  }

  /// The same node under other settings, which is another node to a host.
  func renamed(_ settings: UplinkSettings) -> SparkplugLink? {
    var link = SparkplugLink(settings, lastBirthDeathSequence: node.birthDeathSequence)
    link?.learn(series)
    return link
  }

  /// Series of this run; those known already are skipped.
  mutating func learn(_ more: [StoredSeries]) {
    let new = more.drop { $0.id < series.count }
    series += new
    node.learn(new)
  }

  /// The filter whose end is asked for; nobody subscribes to it.
  var confirmationTopic: String { node.topics.command + "/none" }

  /// A range was sent, or has nothing to send.
  mutating func sent(_ range: ClosedRange<UInt64>, ticks: UInt64, isOwed: Bool = false) {
    unconfirmed.append(SparkplugSent(range: range, ticks: ticks, isOwed: isOwed))
  }

  /// Whether it is time to ask how far the broker has read.
  func wantsConfirmation(window: Int, now: Int64) -> Bool {
    guard asked == 0, !unconfirmed.isEmpty else { return false }
    return unconfirmed.count >= max(window / 2, 1) || now - askedAt >= Int64(UplinkLimits.Sparkplug.confirmationMilliseconds)
  }

  /// The broker was asked.
  mutating func ask(now: Int64) {
    asked = unconfirmed.count
    askedAt = now
  }

  /// The broker answered: what it has read for sure.
  mutating func confirmed() -> [SparkplugSent] {
    defer {
      unconfirmed.removeFirst(asked)
      asked = 0
    }
    return Array(unconfirmed.prefix(asked))
  }

  /// The connection is gone.
  mutating func disconnected() {
    node.disconnected()
    unconfirmed = []
    asked = 0
  }
}

/// Ticks that were sent and are not confirmed.
struct SparkplugSent {
  let range: ClosedRange<UInt64>
  /// How many of the range there are.
  let ticks: UInt64
  /// Whether they came out of the buffer.
  let isOwed: Bool
}
