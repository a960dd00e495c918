import Platform

/// What Home Assistant is shown, beside the payloads that carry ticks.
extension UplinkSession {
  /// The connection stands.
  func beginHomeAssistant() {
    guard homeAssistant != nil else { return }
    homeAssistant?.connected(now: now)
    hearHomeAssistant()
  }

  /// Asks for Home Assistant's birth.
  func hearHomeAssistant() {
    guard let topic = settings.homeAssistant?.birthTopic else { return }
    do throws(MQTTError) { _ = try client?.subscribe(topic: topic, quality: 0) } catch { retreat(error.description) }
  }

  /// Sends what is due: announcements, then the newest values.
  ///
  /// - Returns: milliseconds until there is more.
  func sendHomeAssistant() -> Int64 {
    guard homeAssistant != nil, !isAnnouncingRefused else { return .max }
    while isConnected, flights.count < window, let message = homeAssistant?.next(now: now) {
      send(
        .announcement, to: message.topic, message.payload, retain: message.retain,
        quality: min(message.qualityOfService, settings.qualityOfService))
    }
    return homeAssistant?.wait(now: now) ?? .max
  }
}
