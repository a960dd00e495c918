import Buffer
import Platform

/// A connection that speaks Sparkplug.
extension UplinkSession {
  var moment: SparkplugMoment { SparkplugMoment(wallMilliseconds: clock.wallMilliseconds(), milliseconds: now) }

  /// The connection stands: subscriptions first, then the birth.
  func beginSparkplug() {
    for (topic, quality) in sparkplug?.node.subscriptions ?? [] { subscribe(topic, quality) }
    // A connection that broke over a subscription begins no session: what it took would be confirmed by the next one.
    guard isConnected, var link = sparkplug else { return }
    link.node.dataBytes = min(UplinkLimits.Sparkplug.dataBytes, max(limits.packetBytes / 2, 1_024))
    let messages = link.node.connected(to: broker.address, at: moment)
    sparkplug = link
    publish(messages)
  }

  func takeSparkplug(_ tick: LiveTick) {
    // Before the node takes it for told.
    guard (sparkplug?.unconfirmed.count ?? 0) < UplinkLimits.Sparkplug.unconfirmed,
      let answer = sparkplug?.node.tick(tick, at: moment)
    else { return feeds[0].ledger.owe(live: tick.sequence) }
    switch answer {
    case .owed: feeds[0].ledger.owe(live: tick.sequence)
    case .unchanged:
      feeds[0].ledger.send(live: tick.sequence)
      sparkplug?.sent(tick.sequence...tick.sequence, ticks: 1)
    case .messages(let messages):
      feeds[0].ledger.send(live: tick.sequence)
      sparkplug?.sent(tick.sequence...tick.sequence, ticks: 1)
      publish(messages)
    }
  }

  func hearSparkplug(_ topic: String, _ payload: [UInt8]) {
    guard payload.count <= UplinkLimits.incomingBytes,
      let reaction = sparkplug?.node.message(topic: topic, payload: payload, at: moment)
    else { return }
    publish(reaction.messages)
    guard reaction.disconnects, isConnected else { return }
    disconnect(withWill: true)
    retreat("the primary host is offline")
  }

  /// Sends births that are due, then owed ticks, and asks how far the broker has read.
  ///
  /// - Returns: milliseconds after which there may be more to send by itself.
  func drainSparkplug() -> Int64 {
    if let births = sparkplug?.node.pendingBirth(at: moment) { publish(births) }
    var pause = sparkplug?.node.isReady == true ? Int64.max : UplinkLimits.Sparkplug.birthPauseMilliseconds
    if now < drainNotBefore {
      pause = drainNotBefore - now
    } else if let link = sparkplug, link.node.isReady {
      pause = sendSparkplugBacklog()
    }
    guard isConnected, let link = sparkplug else { return 0 }
    if link.wantsConfirmation(window: window, now: now), let client {
      do throws(MQTTError) {
        let message = try client.unsubscribe(topic: link.confirmationTopic)
        let sent = clock.bootNanoseconds()
        if flights.isEmpty { lastProgress = sent }
        flights[message] = Flight(cargo: .confirmation, sentNanoseconds: sent)
        sparkplug?.ask(now: now)
      } catch {
        retreat(error.description)
        return 0
      }
    }
    return min(pause, link.unconfirmed.isEmpty ? .max : Int64(UplinkLimits.Sparkplug.confirmationMilliseconds))
  }

  func confirmSparkplug() {
    for sent in sparkplug?.confirmed() ?? [] {
      feeds[0].ledger.acknowledge(sent.range, ticks: sent.ticks)
      if sent.isOwed { unsaved.add() }
    }
  }

  /// The death goes before a clean end; the broker's will says the same once more to those that read only the broker's word.
  func endSparkplug() {
    if let farewell = sparkplug?.node.farewell(at: moment) { publish([farewell]) }
  }

  private func sendSparkplugBacklog() -> Int64 {
    while isConnected, (sparkplug?.unconfirmed.count ?? 0) < max(window / 2, 1) {
      savePositions()
      if unsaved.isFull(window, inFlight: sparkplug?.unconfirmed.count ?? 0) { return 1_000 }
      guard let owed = nextOwed(of: 0) else {
        source.close()
        return .max
      }
      let wait = bucket.wait(milliseconds: now)
      if wait > 0 { return Int64(wait) }
      do throws(BufferError) {
        guard try sendSparkplugHistory(owed) else { return Int64(UplinkLimits.Sparkplug.birthPauseMilliseconds) }
      } catch {
        source.close()
        return pauseDraining()
      }
    }
    return .max
  }

  /// Sends one message of an owed range; false when a birth has to go before it.
  private func sendSparkplugHistory(_ owed: ClosedRange<UInt64>) throws(BufferError) -> Bool {
    guard var link = sparkplug else { return false }
    defer { sparkplug = link }
    let reader = try source.open()
    if link.file != source.file { link.node.forgetStored() }
    link.file = source.file
    link.node.learn(stored: reader.series.dropFirst(link.node.storedPlaces.count))
    guard var history = link.node.history(at: moment) else { return false }
    let walk = TickWalk(owed, of: reader)
    var isMore = true
    while isMore, let tick = try walk.take() {
      isMore = history.append(tick.values, sequence: tick.sequence, wallMilliseconds: tick.wallMilliseconds)
    }
    guard let last = history.lastSequence else {
      // The tick holds series that were named only now, or there is none.
      if isMore { feeds[0].ledger.abandon(owed, ticks: UInt64(owed.count)) }
      return isMore
    }
    let range = owed.lowerBound...last
    let messages = link.node.messages(of: history, from: owed.lowerBound)
    feeds[0].ledger.send(owed: range)
    link.sent(range, ticks: history.ticks, isOwed: true)
    for message in messages { bucket.take(message.payload.count) }
    sparkplug = link
    publish(messages)
    link = sparkplug ?? link
    return true
  }

  private func publish(_ messages: [SparkplugMessage]) {
    for message in messages {
      guard isConnected, let client else { return }
      do throws(MQTTError) {
        _ = try client.publish(
          topic: message.topic, payload: message.payload, quality: Int32(message.qualityOfService), retain: false,
          isFrequent: message.qualityOfService == 0)
        sentBytes += UInt64(message.payload.count + message.topic.utf8.count)
      } catch {
        retreat(error.description)
      }
    }
  }

  private func subscribe(_ topic: String, _ quality: Int) {
    guard let client else { return }
    do throws(MQTTError) { _ = try client.subscribe(topic: topic, quality: Int32(quality)) } catch {
      retreat(error.description)
    }
  }
}
