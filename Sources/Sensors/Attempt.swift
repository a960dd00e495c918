import Telemetry

extension Readings {
  /// Takes some of a sample's values. That their source is not there is no problem; any other error costs these values only.
  mutating func attempt(_ body: (inout Readings) throws(SensorError) -> Void) {
    do {
      try body(&self)
    } catch {
      if case .absent = error { return }
      note(error)
    }
  }
}
