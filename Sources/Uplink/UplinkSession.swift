import Buffer
import Platform
import Synchronization
import Telemetry

/// The uplink's thread: builds connections, sends what there is in order of urgency, keeps the ledger.
final class UplinkSession {
  /// What a message that awaits its acknowledgement carries.
  enum Cargo {
    case tick(UInt64)
    case backlog(ClosedRange<UInt64>, ticks: UInt64)
    case alert(rule: String, generation: Int)
    case event(UInt64)
    case info(generation: Int)
    case birth
  }

  /// What the status is made of, to tell whether there is anything new to say.
  private struct Report: Equatable {
    var changes: UInt64
    var event: UInt64
    var sentBytes: UInt64
  }

  struct Flight {
    let cargo: Cargo
    let sentNanoseconds: Int64
  }

  let uplink: Uplink
  let clock: any Clock
  private(set) var settings: UplinkSettings
  private(set) var client: MQTTClient?
  private(set) var isConnected = false
  var ledger: DeliveryLedger
  var flights: [Int32: Flight] = [:]
  var outbox: Outbox
  var backlog: Backlog
  private var backoff: Backoff
  private var waitUntil: Int64 = 0
  private var connectedAt: Int64 = 0
  private var startedConnecting: Int64 = 0
  /// CLOCK_BOOTTIME nanoseconds of the last acknowledgement, or of the first message that waits for one.
  var lastProgress: Int64 = 0
  /// CLOCK_BOOTTIME milliseconds before which nothing owed is sent.
  var drainNotBefore: Int64 = 0
  var sentBytes: UInt64 = 0
  var damagedColumns: UInt64 = 0
  /// Why the broker refused messages, until it takes a tick again: some brokers close the connection over a refusal.
  var refusal: String?
  var roundTripMilliseconds: Double?
  private var reported: Report?
  private var random = SystemRandomNumberGenerator()

  init(
    uplink: Uplink, settings: UplinkSettings, clock: any Clock, buffer: String, ledger: DeliveryLedger, outbox: Outbox
  ) {
    self.uplink = uplink
    self.settings = settings
    self.clock = clock
    self.ledger = ledger
    self.outbox = outbox
    backlog = Backlog(path: buffer, boot: clock.boot, bytesPerSecond: settings.drainBytesPerSecond)
    backoff = Backoff(
      minimumMilliseconds: settings.backoffMinimumMilliseconds, maximumMilliseconds: settings.backoffMaximumMilliseconds)
  }

  /// Milliseconds of CLOCK_BOOTTIME.
  var now: Int64 { clock.bootNanoseconds() / 1_000_000 }

  func run() {
    uplink.publish { $0.broker = settings.address }
    while !uplink.stopping.load(ordering: .acquiring) {
      takeInputs()
      if client == nil, now >= waitUntil { connect() }
      let pause = isConnected ? sendWhatThereIs() : 1_000
      report()
      // Asked again: a call to stop that came while the inputs were taken rang the bell that they silenced.
      if uplink.stopping.load(ordering: .acquiring) { break }
      sleep(atMost: Int(client == nil ? max(waitUntil - now, 0) : pause))
      superviseConnection()
    }
    sayGoodbye()
  }

  // MARK: Connection

  private func connect() {
    startedConnecting = now
    uplink.publish {
      $0.state = .connecting
      $0.attempts = backoff.attempts
    }
    do throws(MQTTError) {
      let client = try MQTTClient(settings)
      try client.setWill(topic: settings.topic("state"), payload: Array("offline".utf8))
      try client.connect()
      self.client = client
    } catch {
      retreat("\(error)")
    }
  }

  /// Gives the connection up and waits before the next: all that was under way is owed again.
  func retreat(_ reason: String) {
    if connectedAt > 0, now - connectedAt >= Int64(UplinkLimits.stableSeconds) * 1000 { backoff.reset() }
    client = nil
    isConnected = false
    connectedAt = 0
    ledger.loseAll()
    for flight in flights.values { outbox.lose(flight.cargo) }
    flights.removeAll(keepingCapacity: true)
    waitUntil = now + Int64(backoff.next(using: &random))
    uplink.publish {
      if $0.state != .waiting { $0.sinceNanoseconds = clock.bootNanoseconds() }
      $0.state = .waiting
      $0.lastError = refusal.map { "\($0); \(reason)" } ?? reason
      $0.attempts = backoff.attempts
    }
  }

  private func sleep(atMost milliseconds: Int) {
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

  private func handle(_ event: MQTTEvent) {
    guard let client else { return }
    switch event {
    case .connected(let reason) where reason == 0: welcome()
    case .connected(let reason): retreat("the broker refuses the connection: \(client.meaning(connectReason: reason))")
    case .disconnected(let reason):
      let what = isConnected ? "the connection was lost" : "the broker closed the connection before accepting it"
      retreat(what + client.meaning(disconnectReason: reason))
    case .acknowledged(let message, let reason): acknowledge(message, reason)
    }
  }

  private func welcome() {
    isConnected = true
    connectedAt = now
    uplink.publish {
      $0.state = .connected
      $0.sinceNanoseconds = clock.bootNanoseconds()
      $0.connections += 1
      $0.attempts = 0
      $0.lastError = refusal
    }
    outbox.connected()
    send(.birth, to: settings.topic("state"), Array("online".utf8), retain: true)
  }

  /// Rebuilds a connection that does not come about, or that acknowledges nothing any more.
  private func superviseConnection() {
    guard client != nil else { return }
    if isConnected, backoff.attempts > 0, now - connectedAt >= Int64(UplinkLimits.stableSeconds) * 1000 {
      backoff.reset()
      uplink.publish { $0.attempts = 0 }
    }
    if !isConnected, now - startedConnecting > Int64(UplinkLimits.connectSeconds) * 1000 {
      return retreat("the broker did not accept the connection within \(UplinkLimits.connectSeconds) s")
    }
    if !flights.isEmpty, clock.bootNanoseconds() - lastProgress > Int64(UplinkLimits.stallSeconds) * 1_000_000_000 {
      // On a thin link a large message may take that long: the next ones are smaller.
      backlog.shrinkMessages()
      retreat("the broker acknowledged nothing for \(UplinkLimits.stallSeconds) s")
    }
  }

  // MARK: What comes in

  private func takeInputs() {
    for input in uplink.mailbox.takeAll() {
      switch input {
      case .series(let series): backlog.json.learn(series.map(\.key))
      case .tick(let tick): takeLive(tick)
      case .alert(let rule, let json): outbox.put(alert: json, rule: rule)
      case .alertRemoved(let rule): outbox.put(alert: [], rule: rule)
      case .event(let id, let json): outbox.put(event: json, id: id)
      case .info(let json): outbox.put(info: json)
      case .inherited(let position, let lastCommitted):
        if ledger.inherit(position, lastCommitted: lastCommitted) { outbox.inherit(event: position.event) }
      case .settings(let settings): change(settings)
      }
    }
  }

  private func takeLive(_ tick: LiveTick) {
    guard isConnected, flights.count < settings.window else { return ledger.owe(live: tick.sequence) }
    ledger.send(live: tick.sequence)
    send(.tick(tick.sequence), to: settings.topic("metrics"), backlog.live(tick), retain: false)
  }

  private func change(_ new: UplinkSettings) {
    if isConnected {
      // Maybe we never come back there: nobody shall hold us for online.
      send(.birth, to: settings.topic("state"), Array("offline".utf8), retain: true)
      client?.disconnect()
    }
    settings = new
    backoff = Backoff(minimumMilliseconds: new.backoffMinimumMilliseconds, maximumMilliseconds: new.backoffMaximumMilliseconds)
    backlog.limit(bytesPerSecond: new.drainBytesPerSecond)
    backlog.freshMessages()
    refusal = nil
    retreat("the settings changed")
    backoff.reset()
    waitUntil = now
    uplink.publish {
      $0.broker = new.address
      $0.lastError = nil
    }
  }

  private func report() {
    let report = Report(changes: ledger.changes, event: outbox.deliveredEvent, sentBytes: sentBytes)
    guard report != reported else { return }
    reported = report
    let (delivered, lost, position) = (ledger.delivered, ledger.lost, ledger.position(event: report.event))
    let owed = position.owed.reduce(0) { $0 + UInt64($1.count) }
    uplink.publish {
      $0.deliveredTicks = delivered
      $0.lostTicks = lost
      $0.damagedColumns = damagedColumns
      $0.position = position
      $0.owedTicks = owed
      $0.sentBytes = sentBytes
      $0.roundTripMilliseconds = roundTripMilliseconds
    }
  }

  /// The last message: `offline`, so that nobody waits for the will. A goodbye that cannot be sent is left to the will.
  private func sayGoodbye() {
    takeInputs()
    if isConnected {
      _ = sendWhatThereIs()
      send(.birth, to: settings.topic("state"), Array("offline".utf8), retain: true)
      let deadline = now + 500
      while isConnected, !flights.isEmpty, now < deadline { sleep(atMost: 50) }
      client?.disconnect()
    }
    report()
    uplink.publish { $0.state = .stopped }
  }
}
