import Buffer
import Platform
import Synchronization
import Telemetry

/// The uplink's thread: builds connections, sends what there is in order of urgency, keeps the ledger.
final class UplinkSession {
  /// What a message that awaits its acknowledgement carries.
  enum Cargo {
    case tick(UInt64, feed: Int)
    case backlog(ClosedRange<UInt64>, ticks: UInt64, feed: Int)
    case alert(rule: String, generation: Int)
    case event(UInt64)
    case info(generation: Int)
    case birth
    /// Names of series: told anew at each connection.
    case catalogue(chunk: Int)
    /// What Home Assistant is shown: told anew at each connection.
    case announcement
    /// How far the broker has read.
    case confirmation
    case status(CommandStatus)
    case chunk(TickBundle.Chunk, of: TickBundle)

    var isLive: Bool {
      if case .tick = self { true } else { false }
    }

    /// Whether many messages go to its topic.
    var isFrequent: Bool {
      if case .backlog = self { true } else { isLive }
    }
  }

  /// What the status is made of, to tell whether there is anything new to say.
  private struct Report: Equatable {
    var changes: UInt64
    var event: UInt64
    var sentBytes: UInt64
    var refusals: UInt64
  }

  struct Flight {
    let cargo: Cargo
    let sentNanoseconds: Int64
    var bytes = 0
  }

  let uplink: Uplink
  let clock: any Clock
  private(set) var settings: UplinkSettings
  var client: MQTTClient?
  var isConnected = false
  /// The place of the broker that is tried or connected among those of the settings.
  var choice = 0
  /// What the broker said when it accepted us.
  var limits = MQTTLimits()
  /// Nil unless the connection speaks Sparkplug; then there is one feed, without messages of its own.
  var sparkplug: SparkplugLink?
  var homeAssistant: HomeAssistantPayload?
  var catalogue = SeriesCatalogue()
  /// Chunks of it that are to be sent.
  var dueChunks: Set<Int> = []
  /// What the broker refused of the catalogue, and whether it refuses what Home Assistant is shown: not tried again until the settings change,
  /// for some brokers close the connection over it.
  var refusedChunks: Set<Int> = []
  var isAnnouncingRefused = false
  /// One for each payload that carries ticks.
  var feeds: [TickFeed]
  var flights: [Int32: Flight] = [:]
  var outbox: Outbox
  let source: BufferSource
  /// Commands from outside, and the bundle that is being sent.
  var desk: CommandDesk
  var bundle: TickBundle?
  var commandSubscription: Int32?
  var bucket: TokenBucket
  /// What was acknowledged of the backlog and is not noted on the disk.
  var unsaved = UnsavedDeliveries()
  /// Messages of the backlog that may be under way: doubles with each that arrived on this connection.
  var ramp = 1
  /// The payload whose backlog was sent last.
  var turn = 0
  var backoff: Backoff
  /// The files that the connection was made with.
  var credentials: CredentialWatch
  /// Unix milliseconds at which a broker's certificate begins, when the clock stood before it.
  var certificateBegins: Int64?
  var waitUntil: Int64 = 0
  var connectedAt: Int64 = 0
  var startedConnecting: Int64 = 0
  /// CLOCK_BOOTTIME nanoseconds of the last acknowledgement, or of the first message that waits for one.
  var lastProgress: Int64 = 0
  /// CLOCK_BOOTTIME milliseconds before which nothing owed is sent.
  var drainNotBefore: Int64 = 0
  /// The same for all but live ticks: the broker is over its quota.
  var quotaNotBefore: Int64 = 0
  var sentBytes: UInt64 = 0
  /// Bytes of the messages in flight: what they take of memory.
  var flightBytes: Int { flights.values.reduce(0) { $0 + $1.bytes } }
  /// Messages that the broker refused.
  var refusals: UInt64 = 0
  /// Attempts to connect.
  var connects: UInt64 = 0
  /// Why the broker refused messages, until it takes a tick again: some brokers close the connection over a refusal.
  var refusal: String?
  var roundTripMilliseconds: Double?
  /// The same, smoothed over the last eight or so.
  var usualRoundTripMilliseconds: Double?
  private var reported: Report?
  var random = SystemRandomNumberGenerator()

  init(
    uplink: Uplink, settings: UplinkSettings, clock: any Clock, buffer: String, feeds: [TickFeed], outbox: Outbox,
    remembered: String
  ) {
    self.uplink = uplink
    self.settings = settings
    self.clock = clock
    self.feeds = feeds
    self.outbox = outbox
    source = BufferSource(path: buffer)
    homeAssistant = settings.homeAssistant.map { HomeAssistantPayload($0) }
    sparkplug = SparkplugLink(
      settings, lastBirthDeathSequence: outbox.deliveredEvent > 0 ? UInt8(truncatingIfNeeded: outbox.deliveredEvent - 1) : nil)
    desk = CommandDesk(allowed: settings.commands, remembered: remembered, at: CommandMoment(clock))
    credentials = CredentialWatch(settings, now: 0)
    bucket = TokenBucket(bytesPerSecond: settings.drainBytesPerSecond)
    backoff = Backoff(
      minimumMilliseconds: settings.backoffMinimumMilliseconds, maximumMilliseconds: settings.backoffMaximumMilliseconds)
  }

  /// Milliseconds of CLOCK_BOOTTIME.
  var now: Int64 { clock.bootNanoseconds() / 1_000_000 }

  func run() {
    while !uplink.stopping.load(ordering: .acquiring) {
      takeInputs()
      noticeClock()
      if client == nil, now >= waitUntil { connect() }
      let pause = isConnected ? sendWhatThereIs() : 1_000
      report()
      // Asked again: a call to stop that came while the inputs were taken rang the bell that they silenced.
      if uplink.stopping.load(ordering: .acquiring) { break }
      sleep(atMost: Int(client == nil ? max(waitUntil - now, 0) : pause))
      superviseConnection()
      noticeCredentials()
    }
    sayGoodbye()
  }

  func sleep(atMost milliseconds: Int) {
    let descriptor = client?.descriptor ?? -1
    // What a QoS 0 message brought about is there at once and rings no bell. Half the keep-alive: the library sends its signs of life.
    let bound = client?.hasEvents == true ? 0 : min(milliseconds, 5_000, max(settings.keepAliveSeconds, 1) * 500)
    let interest: Poll.Ready = client?.wantsToWrite == true ? [.readable, .writable] : .readable
    let ready = Poll.wait(
      [(uplink.mailbox.bell.descriptor, .readable), (descriptor, interest)], milliseconds: bound)
    guard let client else { return }
    client.serve(
      readable: !ready[1].intersection(.readable).isEmpty, writable: !ready[1].intersection(.writable).isEmpty)
    for event in client.takeEvents() { handle(event) }
  }

  // MARK: What comes in

  private func takeInputs() {
    for input in uplink.mailbox.takeAll() {
      switch input {
      case .series(let series):
        for index in feeds.indices { feeds[index].learn(series) }
        dueChunks.formUnion(catalogue.learn(series.filter { $0.id >= catalogue.count }))
        homeAssistant?.learn(series, now: now)
        sparkplug?.learn(series)
      case .tick(let tick): takeLive(tick)
      case .alert(let rule, let json): outbox.put(alert: json, rule: rule)
      case .alertRemoved(let rule): outbox.put(alert: [], rule: rule)
      case .event(let id, let json): outbox.put(event: json, id: id)
      case .info(let json): outbox.put(info: json)
      case .inherited(let positions, let lastCommitted): inherit(positions, lastCommitted)
      case .settings(let settings): change(settings)
      case .command(let answer): follow(answer)
      }
    }
  }

  private func takeLive(_ tick: LiveTick) {
    if sparkplug != nil { return takeSparkplug(tick) }
    homeAssistant?.take(tick.values, now: now)
    sendCatalogue()
    for index in feeds.indices {
      guard isConnected, flights.count < window, isAnswering else {
        feeds[index].ledger.owe(live: tick.sequence)
        continue
      }
      feeds[index].ledger.send(live: tick.sequence)
      let payload = feeds[index].live(tick, boot: clock.boot)
      send(.tick(tick.sequence, feed: index), to: settings.topic(feeds[index].topics.live), payload, retain: false)
    }
  }

  /// Whether the broker acknowledges in about its usual time. When it does not, the link is cut or choked: what were sent now would be sent once
  /// more over the next connection.
  private var isAnswering: Bool {
    guard !flights.isEmpty else { return true }
    let patience = max(UplinkLimits.patienceMilliseconds, 4 * (usualRoundTripMilliseconds ?? 0))
    return Double(clock.bootNanoseconds() - lastProgress) / 1e6 < patience
  }

  private func inherit(_ positions: [String: DeliveryPosition], _ lastCommitted: UInt64) {
    var isNews = feeds.isEmpty
    for index in feeds.indices {
      let position = positions[feeds[index].payload.sink] ?? DeliveryPosition()
      if feeds[index].ledger.inherit(position, lastCommitted: lastCommitted) { isNews = true }
    }
    if isNews { outbox.inherit(event: positions[UplinkSettings.eventSink]?.event ?? 0) }
  }

  private func change(_ new: UplinkSettings) {
    if let announced = new.homeAssistant { homeAssistant?.configure(announced, now: now) }
    var same = new
    same.homeAssistant = settings.homeAssistant
    if same == settings {
      let isElsewhere = new.homeAssistant?.birthTopic != settings.homeAssistant?.birthTopic
      settings = new
      if isConnected, isElsewhere { hearHomeAssistant() }
      return
    }
    // Maybe we never come back there: nobody shall hold us for online.
    leave()
    settings = new
    desk.allowed = new.commands
    choice = 0
    sparkplug = sparkplug?.renamed(new)
    backoff = Backoff(minimumMilliseconds: new.backoffMinimumMilliseconds, maximumMilliseconds: new.backoffMaximumMilliseconds)
    bucket = TokenBucket(bytesPerSecond: new.drainBytesPerSecond)
    // Another broker: nothing is known of its limits.
    for index in feeds.indices { feeds[index].size = MessageSize() }
    refusal = nil
    refusedChunks = []
    isAnnouncingRefused = false
    certificateBegins = nil
    retreat("the settings changed")
    backoff.reset()
    waitUntil = now
    uplink.publish { $0.lastError = nil }
  }

  private func report() {
    let changes = feeds.reduce(0) { $0 + $1.ledger.changes }
    let report = Report(changes: changes, event: outbox.deliveredEvent, sentBytes: sentBytes, refusals: refusals)
    guard report != reported else { return }
    reported = report
    let positions = currentPositions
    let payloads = feeds.map { feed in
      PayloadStatus(
        feed.payload, feed.ledger, owed: positions[feed.payload.sink]?.owed ?? [], damagedColumns: feed.damaged)
    }
    // Of several payloads the one that lags counts.
    uplink.publish {
      $0.deliveredTicks = payloads.map(\.deliveredTicks).min() ?? 0
      $0.lostTicks = payloads.map(\.lostTicks).max() ?? 0
      $0.damagedColumns = payloads.reduce(0) { $0 + $1.damagedColumns }
      $0.positions = positions
      $0.owedTicks = payloads.map(\.owedTicks).max() ?? 0
      $0.payloads = payloads
      $0.refusals = refusals
      $0.refusal = refusal
      $0.sentBytes = sentBytes
      $0.roundTripMilliseconds = roundTripMilliseconds
    }
  }

  /// How far each sink is, marked with what the ledgers have noted.
  var currentPositions: [String: DeliveryPosition] {
    var positions = Self.positions(
      of: zip(feeds.map(\.payload), feeds.map(\.ledger)), eventSink: settings.eventSink, event: deliveredEvent,
      next: uplink.committed + 1)
    for sink in positions.keys { positions[sink]?.mark = mark }
    return positions
  }

  /// Grows with all that the ledgers note.
  var mark: UInt64 { feeds.reduce(outbox.changes + connects) { $0 + $1.ledger.changes } }

  /// The last event delivered; with Sparkplug, which has none, one more than the number of the last death certificate.
  private var deliveredEvent: UInt64 {
    guard let sparkplug else { return outbox.deliveredEvent }
    return sparkplug.node.birthDeathSequence.map { UInt64($0) + 1 } ?? 0
  }

  /// How far each sink is. That of the events is there also when no payload carries ticks: then it owes none below `next`.
  static func positions(
    of ledgers: some Sequence<(UplinkSettings.Payload, DeliveryLedger)>, eventSink: String, event: UInt64, next: UInt64
  ) -> [String: DeliveryPosition] {
    var positions = [eventSink: DeliveryPosition(next: next, event: event)]
    for (payload, ledger) in ledgers { positions[payload.sink] = ledger.position(event: event) }
    return positions
  }

  /// The last message: `offline`, so that nobody waits for the will. A goodbye that cannot be sent is left to the will.
  private func sayGoodbye() {
    takeInputs()
    if isConnected {
      _ = sendWhatThereIs()
      sayOffline()
      let deadline = now + 500
      while isConnected, !flights.isEmpty, now < deadline { sleep(atMost: 50) }
      disconnect(withWill: sparkplug != nil)
    }
    report()
    uplink.publish { $0.state = .stopped }
  }
}
