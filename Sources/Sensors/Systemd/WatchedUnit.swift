import Platform
import Telemetry

/// A unit that the profile names, or that a pattern of it matched.
struct WatchedUnit {
  let name: String
  private let active, changed: Slot
  private let restarts: Slot?
  private var state: CurrentWord

  init(_ name: String, _ readings: inout Readings) {
    self.name = name
    let label = Label("unit", name)
    active = readings.slot(SystemdMetrics.unitActive, [label])
    changed = readings.slot(SystemdMetrics.unitChanged, [label])
    restarts = name.hasSuffix(".service") ? readings.slot(SystemdMetrics.unitRestarts, [label]) : nil
    state = CurrentWord(SystemdMetrics.unitState, "state", [label])
  }

  /// A unit that is not loaded: nothing needs it, and it does nothing.
  mutating func setNotLoaded(in readings: inout Readings) {
    readings.set(active, 0)
    state.set("inactive (not loaded)", in: &readings)
  }

  /// Tells of a unit in these states, and asks for the rest.
  mutating func sample(_ bus: any DBus, _ unit: DBusObject, active word: String, sub: String, into readings: inout Readings)
    throws(SensorError)
  {
    // `refreshing` came with systemd 257.
    readings.set(active, word == "active" || word == "reloading" || word == "refreshing" ? 1 : 0)
    state.set("\(word) (\(sub))", in: &readings)
    // In microseconds; 0 when it never changed.
    let time = try bus.property("StateChangeTimestamp", of: unit).unsigned ?? 0
    if time > 0, time < UInt64(Int64.max) { readings.set(changed, (Double(time) / 1e6).rounded(.down)) }
    if let restarts {
      let count = try bus.property("NRestarts", of: unit.with(interface: SystemdSensor.service)).unsigned
      readings.set(restarts, count.map { Double($0) })
    }
  }
}
