import Buffer
import Platform
import Telemetry

extension UplinkSession {
  /// Sends by urgency: alerts and events, who we are, then the backlog. Live ticks were sent as they came.
  ///
  /// - Returns: milliseconds after which there may be more to send by itself.
  func sendWhatThereIs() -> Int64 {
    if sparkplug != nil { return drainSparkplug() }
    if now < quotaNotBefore { return quotaNotBefore - now }
    sendAlertsAndEvents()
    if isConnected, flights.count < window, let (json, generation) = outbox.takeInfo() {
      send(.info(generation: generation), to: settings.topic("info"), json, retain: true)
    }
    sendCatalogue()
    let pause = isConnected ? min(sendHomeAssistant(), tendCommands()) : 0
    return isConnected ? min(drain(), pause) : 0
  }

  /// Names go before the first tick that counts on them: a reader that does not know them could not read on from it.
  func sendCatalogue() {
    while isConnected, flights.count < window, let chunk = dueChunks.min() {
      dueChunks.remove(chunk)
      send(.catalogue(chunk: chunk), to: settings.topic(catalogue.level(chunk)), catalogue.json(chunk), retain: true)
    }
  }

  private func sendAlertsAndEvents() {
    while isConnected, flights.count < window, let alert = outbox.takeAlert() {
      send(
        .alert(rule: alert.rule, generation: alert.generation), to: settings.topic("alerts/\(alert.rule)"), alert.json,
        retain: true)
    }
    while isConnected, flights.count < window, let event = nextEvent() {
      send(.event(event.id), to: settings.topic("events"), event.json, retain: false)
    }
  }

  /// Older events come from the buffer, newer ones from memory: those go out also when the buffer cannot be read.
  private func nextEvent() -> (id: UInt64, json: [UInt8])? {
    if let bound = outbox.olderEventsBelow {
      if let event = source.event(after: outbox.lastEventTaken, below: bound) {
        outbox.taken(event.id)
        return event
      }
      outbox.skipEvents(below: bound)
    }
    return outbox.takeEvent()
  }

  /// Sends owed ticks in half the window, so that live ticks always find room; the payloads take turns. A new connection begins with one small
  /// message: a link that breaks again at once has little under way to repeat.
  private func drain() -> Int64 {
    let share = min(max(window / 2, 1), ramp)
    if now < drainNotBefore { return drainNotBefore - now }
    savePositions()
    var idle = 0
    while isConnected, flights.count < share, idle < feeds.count {
      if unsaved.isFull(window, inFlight: flights.count) { return 1_000 }
      if flightBytes >= UplinkLimits.flightBytes { return .max }
      turn = (turn + 1) % max(feeds.count, 1)
      guard let owed = nextOwed(of: turn) else {
        feeds[turn].rest()
        idle += 1
        continue
      }
      idle = 0
      let wait = bucket.wait(milliseconds: now)
      if wait > 0 { return Int64(wait) }
      guard sendOwed(owed, of: turn) else { return pauseDraining() }
    }
    if idle == feeds.count { source.close() }
    return .max
  }

  /// Has the position put on the disk now and then while a backlog is sent: a restart repeats a window at most.
  func savePositions() {
    unsaved.saved(uplink.saved)
    guard unsaved.wantsSave(window, now: now) else { return }
    let mark = mark
    if uplink.save(currentPositions) { unsaved.requested(mark: mark, now: now) }
  }

  func nextOwed(of feed: Int) -> ClosedRange<UInt64>? {
    let (ledger, committed) = (feeds[feed].ledger, uplink.committed)
    guard settings.drainsNewestFirst else { return ledger.firstOwed(committed: committed) }
    return ledger.lastOwed(committed: committed, ticks: feeds[feed].usualTicks)
  }

  /// Sends one message of an owed range; false when the buffer cannot be read.
  private func sendOwed(_ owed: ClosedRange<UInt64>, of feed: Int) -> Bool {
    do throws(BufferError) {
      switch try feeds[feed].backlog(owed, from: source) {
      case .message(let range, let ticks, let damaged, let payload):
        feeds[feed].ledger.send(owed: range)
        feeds[feed].damaged += damaged
        bucket.take(payload.count)
        send(.backlog(range, ticks: ticks, feed: feed), to: settings.topic(feeds[feed].topics.backlog), payload, retain: false)
      case .gone(let range, let ticks):
        feeds[feed].ledger.abandon(range, ticks: ticks)
      }
      return true
    } catch {
      source.close()
      return false
    }
  }

  /// Leaves the backlog alone for a while.
  func pauseDraining() -> Int64 {
    let pause = Int64(UplinkLimits.drainPauseSeconds) * 1000
    drainNotBefore = now + pause
    return pause
  }

  func send(_ cargo: Cargo, to topic: String, _ payload: [UInt8], retain: Bool, quality: Int? = nil) {
    guard let client else { return lose(cargo) }
    let sent = clock.bootNanoseconds()
    do throws(MQTTError) {
      let message = try client.publish(
        topic: topic, payload: payload, quality: Int32(quality ?? settings.qualityOfService), retain: retain,
        expirySeconds: cargo.isLive ? settings.messageExpirySeconds : nil, isFrequent: cargo.isFrequent)
      if flights.isEmpty { lastProgress = sent }
      flights[message] = Flight(cargo: cargo, sentNanoseconds: sent, bytes: payload.count)
      sentBytes += UInt64(payload.count + topic.utf8.count)
    } catch {
      guard error.isForGood else {
        lose(cargo)
        takeLastAcknowledgements()
        // What the library queued before it failed goes with the connection: nothing is sent twice by it.
        return retreat(error.description)
      }
      tooLarge(cargo, error)
    }
  }

  /// What the broker acknowledged before the connection broke may wait in the socket still: what is not read now would be sent again.
  private func takeLastAcknowledgements() {
    client?.serve(readable: true, writable: false)
    for case .acknowledged(let message, let reason) in client?.takeEvents() ?? [] { acknowledge(message, reason) }
  }

  /// A message that no connection will take: a part of the backlog is tried again in smaller messages, all else is given up.
  private func tooLarge(_ cargo: Cargo, _ error: MQTTError) {
    if case .backlog(let range, let ticks, let feed) = cargo, ticks > 1 {
      feeds[feed].ledger.lose(range)
      return feeds[feed].size.limit(toTicks: ticks / 2)
    }
    giveUp(cargo)
    refusals += 1
    uplink.publish { $0.lastError = error.description }
  }

  private func giveUp(_ cargo: Cargo) {
    switch cargo {
    case .tick(let sequence, let feed):
      feeds[feed].ledger.abandon(sequence...sequence, ticks: 1)
      beginAnew(feed, after: sequence)
    case .backlog(let range, let ticks, let feed): feeds[feed].ledger.abandon(range, ticks: ticks)
    case .alert(let rule, let generation): outbox.acknowledge(alert: rule, generation: generation)
    case .event(let id): outbox.acknowledge(event: id)
    case .catalogue(let chunk): refusedChunks.insert(chunk)
    case .announcement: isAnnouncingRefused = true
    case .status, .chunk: giveUp(command: cargo)
    case .info, .birth, .confirmation: break
    }
  }

  /// A live message did not arrive. Those under way that were made against it cannot be read: they are owed, whatever the broker says.
  private func beginAnew(_ feed: Int, after sequence: UInt64) {
    guard feeds[feed].payload == .packed else { return }
    feeds[feed].requireKey()
    for (message, flight) in flights {
      guard case .tick(let later, feed) = flight.cargo, later > sequence else { continue }
      feeds[feed].ledger.lose(later...later)
      flights[message] = Flight(cargo: .birth, sentNanoseconds: flight.sentNanoseconds)
    }
  }

  func lose(_ cargo: Cargo) {
    switch cargo {
    case .tick(let sequence, let feed):
      feeds[feed].ledger.lose(sequence...sequence)
      beginAnew(feed, after: sequence)
    case .backlog(let range, _, let feed): feeds[feed].ledger.lose(range)
    case .status, .chunk: lose(command: cargo)
    case .catalogue(let chunk): dueChunks.insert(chunk)
    default: outbox.lose(cargo)
    }
  }

  func acknowledge(_ message: Int32, _ reason: Int32) {
    guard let flight = flights.removeValue(forKey: message) else { return }
    lastProgress = clock.bootNanoseconds()
    let roundTrip = Double(lastProgress - flight.sentNanoseconds) / 1e6
    roundTripMilliseconds = roundTrip
    usualRoundTripMilliseconds = usualRoundTripMilliseconds.map { $0 + (roundTrip - $0) / 8 } ?? roundTrip
    guard reason >= 0x80 else {
      return accept(flight.cargo)
    }
    // A broker over its quota (0x97) will take the tick another time; any other refusal stands.
    if reason == 0x97 {
      quotaNotBefore = now + pauseDraining()
      lose(flight.cargo)
    } else {
      giveUp(flight.cargo)
    }
    let text = "the broker refuses messages\(client?.meaning(refusal: reason) ?? "") (reason 0x\(String(reason, radix: 16)))"
    refusal = text
    refusals += 1
    uplink.publish { $0.lastError = text }
  }

  private func accept(_ cargo: Cargo) {
    switch cargo {
    case .tick(let sequence, let feed):
      feeds[feed].ledger.acknowledge(sequence...sequence, ticks: 1)
      refusal = nil
    case .backlog(let range, let ticks, let feed):
      feeds[feed].ledger.acknowledge(range, ticks: ticks)
      feeds[feed].size.grow()
      ramp = min(ramp * 2, settings.window)
      unsaved.add()
      refusal = nil
    case .confirmation: confirmSparkplug()
    case .catalogue, .announcement: break
    case .status, .chunk: accept(command: cargo)
    default: giveUp(cargo)
    }
  }
}
