import Buffer
import Platform
import Synchronization

extension UplinkSession {
  /// The broker that is tried or connected.
  var broker: UplinkSettings.Broker { settings.brokers.indices.contains(choice) ? settings.brokers[choice] : .init() }

  /// Messages that may wait for their acknowledgement: ours, or what the broker takes.
  var window: Int { min(settings.window, limits.receiveMaximum) }

  func connect() {
    startedConnecting = now
    connects += 1
    let broker = broker
    uplink.publish {
      $0.state = .connecting
      $0.broker = broker.address
      $0.warning = settings.warning
      $0.attempts = backoff.attempts
    }
    do throws(MQTTError) {
      credentials = CredentialWatch(settings, now: now)
      let client = try MQTTClient(settings, broker: broker, wallMilliseconds: clock.wallMilliseconds())
      try setWill(of: client)
      self.client = client
      try client.connect()
    } catch {
      retreat(reason("\(error)"))
    }
  }

  private func setWill(of client: MQTTClient) throws(MQTTError) {
    guard let will = sparkplug?.node.nextWill(at: moment) else {
      return try client.setWill(
        topic: settings.topic("state"), payload: Array("offline".utf8), quality: settings.qualityOfService, retain: true)
    }
    // Its number is on the disk before a birth carries it: no run uses it twice.
    _ = uplink.save(currentPositions)
    try client.setWill(topic: will.topic, payload: will.payload, quality: will.qualityOfService, retain: false)
  }

  /// Gives the connection up: all that was under way is owed again. The next broker of the list is tried at once; after the last, and after a
  /// connection that was lost, there is a wait and all begins with the first.
  func retreat(_ reason: String) {
    if connectedAt > 0, now - connectedAt >= Int64(UplinkLimits.stableSeconds) * 1000 { backoff.reset() }
    let isLost = isConnected
    // A broker further down the list may still do.
    if let problem = client?.certificateProblem, problem.isNotYetValid { certificateBegins = problem.begins }
    client = nil
    isConnected = false
    connectedAt = 0
    for index in feeds.indices { feeds[index].ledger.loseAll() }
    for flight in flights.values {
      outbox.lose(flight.cargo)
      lose(command: flight.cargo)
    }
    sparkplug?.disconnected()
    homeAssistant?.disconnected()
    flights.removeAll(keepingCapacity: true)
    let isNext = !isLost && choice + 1 < settings.brokers.count
    choice = isNext ? choice + 1 : 0
    waitUntil = isNext ? now : now + Int64(isLost ? backoff.lost(using: &random) : backoff.next(using: &random))
    uplink.publish {
      // All attempts are one wait.
      if isLost || $0.sinceNanoseconds == 0 { $0.sinceNanoseconds = clock.bootNanoseconds() }
      $0.state = .waiting
      $0.lastError = refusal.map { "\($0); \(reason)" } ?? reason
      $0.attempts = backoff.attempts
    }
  }

  func handle(_ event: MQTTEvent) {
    guard let client else { return }
    switch event {
    case .connected(let reason, let limits) where reason == 0: welcome(limits)
    case .connected(let reason, _): retreat("the broker refuses the connection: \(client.meaning(connectReason: reason))")
    case .disconnected(let reason):
      let what = isConnected ? "the connection was lost" : "the broker closed the connection before accepting it"
      retreat(self.reason(what + client.meaning(disconnectReason: reason)))
    case .acknowledged(let message, let reason): acknowledge(message, reason)
    case .unsubscribed(let message): acknowledge(message, 0)
    case .message(let topic, let payload, let isRetained): hear(topic, payload, isRetained: isRetained)
    case .subscribed(let message, let isGranted): noteSubscription(message, isGranted: isGranted)
    }
  }

  private func welcome(_ limits: MQTTLimits) {
    isConnected = true
    connectedAt = now
    certificateBegins = nil
    self.limits = limits
    client?.topicAliases = min(limits.topicAliases, UplinkLimits.topicAliases)
    ramp = 1
    quotaNotBefore = 0
    for index in feeds.indices {
      feeds[index].size.limit(toPacketBytes: limits.packetBytes)
      feeds[index].size.beginSmall()
      feeds[index].requireKey()
    }
    uplink.publish {
      $0.state = .connected
      $0.sinceNanoseconds = clock.bootNanoseconds()
      $0.connections += 1
      $0.attempts = 0
      $0.lastError = refusal
    }
    if sparkplug != nil { return beginSparkplug() }
    outbox.connected()
    dueChunks = Set(0..<catalogue.chunks).subtracting(refusedChunks)
    send(.birth, to: settings.topic("state"), Array("online".utf8), retain: true)
    subscribeToCommands()
    beginHomeAssistant()
  }

  private func hear(_ topic: String, _ payload: [UInt8], isRetained: Bool) {
    if sparkplug != nil { return hearSparkplug(topic, payload) }
    takeCommand(topic: topic, payload: payload, isRetained: isRetained)
    homeAssistant?.hear(topic: topic, payload: payload, now: now, using: &random)
  }

  /// Rebuilds a connection that does not come about, or that acknowledges nothing any more; leaves a broker of second choice now and then.
  func superviseConnection() {
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
      for index in feeds.indices { feeds[index].size.shrink() }
      return retreat("the broker acknowledged nothing for \(UplinkLimits.stallSeconds) s")
    }
    if isConnected, choice > 0, flights.isEmpty, now - connectedAt > Int64(UplinkLimits.preferredRetrySeconds) * 1000 {
      leave()
      retreat("a preferred broker is tried again")
      waitUntil = now
    }
  }

  /// Says goodbye for good to a broker.
  func leave() {
    guard isConnected else { return }
    sayOffline()
    disconnect(withWill: sparkplug != nil)
  }

  /// So that nobody waits for the will.
  func sayOffline() {
    if sparkplug != nil { return endSparkplug() }
    send(.birth, to: settings.topic("state"), Array("offline".utf8), retain: true)
  }

  func disconnect(withWill: Bool) { client?.disconnect(withWill: withWill) }
}
