import Telemetry

/// What a host application says of itself on `spBv1.0/STATE/<host>`: `{"online":true,"timestamp":1668114759262}` (3.0, section 6.4.27).
struct SparkplugHostState: Hashable, Sendable {
  var isOnline: Bool
  /// When the host connected, Unix milliseconds.
  var timestamp: UInt64

  /// Reads the JSON; nil when it is none, or without one of the two. Other keys are passed over; a key that is there twice makes it none.
  init?(_ payload: [UInt8]) {
    typealias Bounds = UplinkLimits.Sparkplug
    let limits = JSONReader.Limits(bytes: Bounds.stateBytes, depth: Bounds.stateDepth, values: .max)
    guard let state = try? JSONReader.read(payload, limits: limits), case .bool(let online) = state["online"],
      let time = state["timestamp"]?.count
    else { return nil }
    isOnline = online
    timestamp = UInt64(time)
  }
}
