import Buffer
import Telemetry

/// An edge node of Sparkplug B 3.0, without I/O: what happens goes in, messages come out. It has an MQTT connection of its own, since
/// its will is its death; clean start, session expiry 0 (3.0, section 5.4).
///
/// In order: `nextWill` and store `birthDeathSequence`, CONNECT, SUBSCRIBE to `subscriptions`, `connected`, then `message`, `learn`,
/// `tick`, `pendingBirth` and owed ticks as they come, and `farewell` before a clean DISCONNECT. With MQTT 5 that has the reason
/// 0x04, "disconnect with will message" (tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50).
///
/// **When is something delivered?** Births and data have QoS 0 by the specification, so nobody acknowledges them. But a broker takes
/// the packets of a connection in their order: an answer to a later packet (the PUBACK of a QoS 1 message, a SUBACK, or the UNSUBACK of a
/// filter that was never subscribed, which MQTT 3.1.1 §3.10.4 promises and which nobody else sees) proves that it has read all before
/// it. The session may send such a packet now and then, and count all that went before it as delivered when the answer comes; when
/// the connection breaks first, all since the last answer is owed. A tick that was `unchanged` stands in that order, too.
/// That is delivery to the broker; a host that misses a message sees it by `seq` and asks for a rebirth.
struct SparkplugNode {
  static let rebirthMetric = "Node Control/Rebirth"
  static let sequenceMetric = "bdSeq"

  let topics: SparkplugTopics
  /// Texts of the birth under `Properties/`, for example the agent's version and the boot.
  private let facts: [(name: String, value: String)]
  /// Largest NDATA payload, bytes: the broker may allow less than we do.
  var dataBytes = UplinkLimits.Sparkplug.dataBytes

  /// The number that ties the last will to its births, 0…255. The will of a connection that the agent did not close may come long after
  /// the next birth, and a host tells the two apart by this number alone, so it must count on over a restart (6.4.25: "any new
  /// CONNECT packet must increment"): it is stored before each CONNECT and handed in at the next start.
  private(set) var birthDeathSequence: UInt8?
  private(set) var isConnected = false
  private(set) var isHostOnline = false
  /// Whether the host has a birth of this connection, so that data may follow.
  private(set) var isBorn = false
  var sequence: UInt8 = 0
  var table: SparkplugMetricTable
  var values = SparkplugValues()
  /// Places of live series by id; nil for those that found no room.
  private(set) var livePlaces: [Int?] = []
  /// The same for the series of the buffer's file, whose ids may be others.
  private(set) var storedPlaces: [Int?] = []
  private var bornCount = 0
  private var isRebirthAsked = false
  private var lastBirth: Int64?
  private var broker: String?
  private var hostTimestamp: UInt64?

  /// - Parameters:
  ///   - lastBirthDeathSequence: what was stored before the last CONNECT; nil when there was none: the first will has 0.
  init(topics: SparkplugTopics, facts: [(name: String, value: String)] = [], lastBirthDeathSequence: UInt8?) {
    self.topics = topics
    self.facts = facts
    birthDeathSequence = lastBirthDeathSequence
    let own = [SparkplugNode.rebirthMetric, SparkplugNode.sequenceMetric] + facts.map { "Properties/\($0.name)" }
    table = SparkplugMetricTable(reserved: own)
  }

  // MARK: Connection

  /// What to subscribe to before `connected`.
  var subscriptions: [(topic: String, qualityOfService: Int)] {
    [(topics.command, 1)] + (topics.hostState.map { [($0, 1)] } ?? [])
  }

  /// The will of the next connection: a new number each time.
  mutating func nextWill(at moment: SparkplugMoment) -> SparkplugMessage {
    birthDeathSequence = birthDeathSequence.map { $0 &+ 1 } ?? 0
    return death(at: moment)
  }

  /// The broker accepted the connection and the subscriptions were sent.
  ///
  /// - Parameter broker: its address: STATE times of another broker say nothing of this one (section 5.13).
  mutating func connected(to broker: String, at moment: SparkplugMoment) -> [SparkplugMessage] {
    if broker != self.broker { hostTimestamp = nil }
    self.broker = broker
    isConnected = true
    isHostOnline = topics.primaryHost == nil
    endSession()
    return pendingBirth(at: moment)
  }

  /// The connection is gone. What was not confirmed is owed.
  mutating func disconnected() {
    isConnected = false
    endSession()
  }

  /// The death that goes before a clean DISCONNECT; nil when there is no connection.
  mutating func farewell(at moment: SparkplugMoment) -> SparkplugMessage? {
    guard isConnected else { return nil }
    isConnected = false
    endSession()
    return death(at: moment)
  }

  private mutating func endSession() {
    isBorn = false
    isRebirthAsked = false
    lastBirth = nil
  }

  // MARK: Messages that come in

  /// A message of the broker: a host's command or its STATE. Anything else, and what cannot be read, is passed over.
  mutating func message(topic: String, payload: [UInt8], at moment: SparkplugMoment) -> SparkplugReaction {
    guard isConnected else { return SparkplugReaction() }
    if topic == topics.command { return command(payload, at: moment) }
    if topic == topics.hostState { return hostState(payload, at: moment) }
    return SparkplugReaction()
  }

  private mutating func command(_ bytes: [UInt8], at moment: SparkplugMoment) -> SparkplugReaction {
    do throws(ProtobufDamage) {
      let payload = try SparkplugPayload(decoding: bytes)
      let asks = payload.metrics.contains { $0.name == SparkplugNode.rebirthMetric && $0.value == .boolean(true) }
      // Before the first birth there is nothing to repeat.
      if asks, isBorn { isRebirthAsked = true }
      return SparkplugReaction(messages: pendingBirth(at: moment))
    } catch {
      return SparkplugReaction()
    }
  }

  private mutating func hostState(_ bytes: [UInt8], at moment: SparkplugMoment) -> SparkplugReaction {
    // An older time is the will of a connection that the host has replaced (section 5.5).
    guard let state = SparkplugHostState(bytes), state.timestamp >= hostTimestamp ?? 0 else { return SparkplugReaction() }
    hostTimestamp = state.timestamp
    isHostOnline = state.isOnline
    if state.isOnline { return SparkplugReaction(messages: pendingBirth(at: moment)) }
    return SparkplugReaction(messages: farewell(at: moment).map { [$0] } ?? [], disconnects: true)
  }

  // MARK: Births

  /// Whether data may go out now: live as well as owed.
  var isReady: Bool { isConnected && isHostOnline && isBorn && !isRebirthAsked && table.count == bornCount }

  /// The birth that is due, if it may be sent: at a rebirth that was asked for a moment after another birth, or for series of
  /// the buffer's file. To be asked at every turn of the session.
  mutating func pendingBirth(at moment: SparkplugMoment) -> [SparkplugMessage] {
    // Before the first tick there is nothing to report, and each new series would need another birth.
    guard values.hasTick, isBirthPossible(at: moment) else { return [] }
    return [birth(.birth, at: moment)]
  }

  func isBirthPossible(at moment: SparkplugMoment) -> Bool {
    guard isConnected, isHostOnline, !isReady else { return false }
    // A host that asks all the time, or sensors that come one by one, shall not make us send nothing but births.
    return lastBirth.map { moment.milliseconds - $0 >= UplinkLimits.Sparkplug.birthPauseMilliseconds } ?? true
  }

  /// NBIRTH: every metric with its name, type, value and time.
  mutating func birth(_ cargo: SparkplugMessage.Cargo, at moment: SparkplugMoment) -> SparkplugMessage {
    var writer = ProtobufWriter(capacity: 96 * (table.count + facts.count + 2))
    writer.varint(1, SparkplugMoment.wire(moment.wallMilliseconds))
    values.grow(to: table.count)
    // Values that are not historical stand in the order of their times (section 5.16), so what is of now comes last, also after
    // the clock was set back.
    let latest = max(moment.wallMilliseconds, values.latestTime ?? 0)
    let now = SparkplugMoment.wire(latest)
    for place in values.placesByTime {
      let entry = table.entries[place]
      let value = SparkplugMetricTable.value(values.current[place], entry.datatype)
      let time = SparkplugMoment.wire(min(values.times[place], latest))
      var metric = SparkplugMetric(name: entry.name, timestamp: time, entry.datatype, value)
      metric.alias = SparkplugMetricTable.alias(place)
      metric.properties = entry.properties
      metric.encode(to: &writer)
    }
    // Rebirth must not have an alias (section 5.17); the number is in the will by its name, too.
    let number = SparkplugValue.long(UInt64(birthDeathSequence ?? 0))
    SparkplugMetric(name: SparkplugNode.sequenceMetric, timestamp: now, .int64, number).encode(to: &writer)
    SparkplugMetric(name: SparkplugNode.rebirthMetric, timestamp: now, .boolean, .boolean(false)).encode(to: &writer)
    for fact in facts {
      SparkplugMetric(name: "Properties/\(fact.name)", timestamp: now, .string, .string(fact.value)).encode(to: &writer)
    }
    // Each birth begins the numbers anew (tck-id-topics-nbirth-seq-num).
    writer.varint(3, 0)
    sequence = 1
    isBorn = true
    isRebirthAsked = false
    bornCount = table.count
    lastBirth = moment.milliseconds
    values.toldAll()
    return SparkplugMessage(topic: topics.birth, payload: writer.bytes, qualityOfService: 0, cargo: cargo)
  }

  private func death(at moment: SparkplugMoment) -> SparkplugMessage {
    let now = SparkplugMoment.wire(moment.wallMilliseconds)
    let number = SparkplugValue.long(UInt64(birthDeathSequence ?? 0))
    let metric = SparkplugMetric(name: SparkplugNode.sequenceMetric, timestamp: now, .int64, number)
    let payload = SparkplugPayload(timestamp: now, sequence: nil, [metric])
    return SparkplugMessage(topic: topics.death, payload: payload.encoded(), qualityOfService: 1, cargo: .death)
  }

  // MARK: Series

  /// Live series named since the last time; ids follow on.
  mutating func learn(_ series: some Sequence<StoredSeries>) {
    for one in series { livePlaces.append(table.place(of: one)) }
  }

  /// Series of the buffer's file. New ones need a birth before their values may be sent.
  mutating func learn(stored series: some Sequence<StoredSeries>) {
    for one in series { storedPlaces.append(table.place(of: one)) }
  }

  /// Another file took the buffer's place.
  mutating func forgetStored() { storedPlaces = [] }
}
