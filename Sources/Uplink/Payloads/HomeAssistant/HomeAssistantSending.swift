import Telemetry

extension HomeAssistantPayload {
  /// The next message to send now, if there is one. Ask until there is none.
  public mutating func next(now: Int64) -> HomeAssistantMessage? {
    guard isConnected else { return nil }
    takeStock(now: now)
    return nextFarewell(now: now) ?? nextAnnouncement(now: now) ?? nextState(now: now)
  }

  /// Milliseconds until there may be something to send by itself.
  public func wait(now: Int64) -> Int64 {
    guard isConnected else { return .max }
    if cursor != nil { return 0 }
    var at = order.compactMap { parts[$0]?.due }.min() ?? .max
    at = min(at, farewells.map { $0.emptyAt ?? now }.min() ?? .max, stockAt ?? .max)
    if entities.contains(where: \.isPresent) { at = min(at, stateAt) }
    return at == .max ? .max : max(at - now, 0)
  }

  private mutating func nextFarewell(now: Int64) -> HomeAssistantMessage? {
    for index in farewells.indices {
      let farewell = farewells[index]
      let topic = farewell.settings.discoveryTopic(farewell.part)
      guard let emptyAt = farewell.emptyAt else {
        farewells[index].emptyAt = now + UplinkLimits.homeAssistantPauseMilliseconds
        return announcement(topic, announce([], gone: farewell.gone, farewell.settings, stateTopic: nil))
      }
      guard emptyAt <= now else { continue }
      farewells.remove(at: index)
      return announcement(topic, [])
    }
    return nil
  }

  private mutating func nextAnnouncement(now: Int64) -> HomeAssistantMessage? {
    for name in order {
      guard var part = parts[name], let due = part.due, due <= now else { continue }
      let wasAnnounced = part.isAnnounced || part.gone.contains { $0.value }
      part.forgetSaid()
      let shown = components(of: part)
      let gone = part.gone.keys.sorted { $0.id < $1.id }
      let isEmpty = shown.isEmpty && gone.isEmpty
      part.sent(now: now, isEmpty: isEmpty)
      if isEmpty, part.content == .nothing {
        parts[name] = nil
        order.removeAll { $0 == name }
      } else {
        parts[name] = part
      }
      // Series that were never shown need no message that says so.
      if isEmpty, !wasAnnounced { continue }
      var stateTopic: String?
      if case .series = part.content { stateTopic = settings.stateTopic(name) }
      let payload = isEmpty ? [] : announce(shown, gone: gone, settings, stateTopic: stateTopic)
      return announcement(settings.discoveryTopic(name), payload)
    }
    return nil
  }

  private mutating func nextState(now: Int64) -> HomeAssistantMessage? {
    if cursor == nil {
      guard now >= stateAt else { return nil }
      stateAt = max(stateAt + Int64(settings.everyMilliseconds), now + 1)
      cursor = 0
    }
    while let position = cursor, position < order.count {
      cursor = position + 1
      guard let part = parts[order[position]], part.isAnnounced, case .series(let members) = part.content else { continue }
      let fresh = members.filter { entities[$0].isFresh(settings, now: now) }
      guard !fresh.isEmpty else { continue }
      var json = JSONWriter(capacity: fresh.count * 32)
      json.beginObject()
      for id in fresh {
        json.key(entities[id].key)
        json.number(entities[id].value)
      }
      json.endObject()
      return HomeAssistantMessage(
        topic: settings.stateTopic(order[position]), payload: json.bytes, qualityOfService: 0, retain: false)
    }
    cursor = nil
    return nil
  }

  private func announce(
    _ shown: [Component], gone: [HomeAssistantComponent.Gone], _ settings: HomeAssistantSettings, stateTopic: String?
  ) -> [UInt8] {
    var json = JSONWriter(capacity: 512 + shown.count * 320)
    json.beginObject()
    HomeAssistantComponent.writeDevice(settings, to: &json)
    if let stateTopic { HomeAssistantComponent.member("stat_t", stateTopic, &json) }
    json.key("cmps")
    json.beginObject()
    for component in shown {
      switch component {
      case .series(let id): HomeAssistantComponent.write(entities[id], settings, to: &json)
      case .rule(let rule): HomeAssistantComponent.write(rule: rule, settings, to: &json)
      case .command(let command): HomeAssistantComponent.write(command, settings, to: &json)
      }
    }
    for gone in gone { HomeAssistantComponent.write(gone, to: &json) }
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private func announcement(_ topic: String, _ payload: [UInt8]) -> HomeAssistantMessage {
    HomeAssistantMessage(topic: topic, payload: payload, qualityOfService: 1, retain: true)
  }
}
