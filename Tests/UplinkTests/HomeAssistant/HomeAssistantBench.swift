import Buffer
import Foundation
import Telemetry

@testable import Uplink

/// A payload with a clock of its own, and what it sent.
struct HomeAssistantBench {
  var payload: HomeAssistantPayload
  var settings: HomeAssistantSettings
  var now: Int64 = 1_000_000
  /// The retained messages as a broker keeps them.
  private(set) var retained: [String: HomeAssistantMessage] = [:]

  init(_ change: (inout HomeAssistantSettings) -> Void = { _ in }) {
    settings = HomeAssistantSettings()
    settings.node = "edge-01"
    settings.version = "1.0"
    settings.families = ["cpu": 1_000, "disk": 1_000]
    change(&settings)
    payload = HomeAssistantPayload(settings)
  }

  /// Lets time pass, asking at each second; what was sent, in order.
  mutating func run(seconds: Int) -> [HomeAssistantMessage] {
    var sent: [HomeAssistantMessage] = []
    for _ in 0..<seconds {
      now += 1_000
      while let message = payload.next(now: now) {
        sent.append(message)
        guard message.retain else { continue }
        retained[message.topic] = message.payload.isEmpty ? nil : message
      }
    }
    return sent
  }

  mutating func connect() { payload.connected(now: now) }
  mutating func learn(_ series: [Series]) { payload.learn(Self.stored(series), now: now) }
  mutating func take(_ values: [Double]) { payload.take(values, now: now) }

  mutating func configure(_ change: (inout HomeAssistantSettings) -> Void) {
    change(&settings)
    payload.configure(settings, now: now)
  }

  static func stored(_ series: [Series]) -> [StoredSeries] { series.enumerated().map { StoredSeries(id: $0, $1) } }

  static func metric(_ name: String, _ unit: Telemetry.Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0) -> Metric {
    Metric(name, unit: unit, kind: kind, decimals: decimals, help: "A metric.")
  }

  /// The components of a discovery message.
  static func components(_ message: HomeAssistantMessage?) -> [String: [String: Any]] {
    object(message?.payload ?? [])["cmps"] as? [String: [String: Any]] ?? [:]
  }

  static func object(_ json: [UInt8]) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(json))) as? [String: Any] ?? [:]
  }
}

extension [HomeAssistantMessage] {
  var configs: [HomeAssistantMessage] { filter { $0.topic.hasSuffix("/config") } }
  var states: [HomeAssistantMessage] { filter { !$0.topic.hasSuffix("/config") } }
}
