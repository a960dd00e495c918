import Synchronization
public import Telemetry

/// Something that a sensor saw happen, which is more than a number.
public struct SensorEvent: Sendable {
  /// What the buffer and MQTT call such events.
  public var kind: String
  /// One line for people.
  public var message: String
  /// The details, for programs.
  public var details: [Label]

  /// States what happened.
  public init(kind: String, message: String, details: [Label]) {
    (self.kind, self.message, self.details) = (kind, message, details)
  }
}

/// What sensors saw happen since the last tick, from any thread.
public final class SensorEvents: Sendable {
  /// Events that may wait for a tick.
  public static let most = 256

  private let waiting = Mutex<[SensorEvent]>([])

  /// None yet.
  public init() {}

  /// Hands an event to the next tick; false when there is no room.
  public func put(_ event: SensorEvent) -> Bool {
    waiting.withLock { waiting in
      guard waiting.count < Self.most else { return false }
      waiting.append(event)
      return true
    }
  }

  /// Takes what waits, oldest first.
  public func take() -> [SensorEvent] {
    waiting.withLock { waiting in
      guard !waiting.isEmpty else { return [] }
      defer { waiting = [] }
      return waiting
    }
  }
}
