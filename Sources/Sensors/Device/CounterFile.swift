import Platform
import Telemetry

/// A file of one growing number and the series of its growth: busy time as a share, energy as power.
struct CounterFile {
  let file: HostFile
  let slot: Slot
  /// What a growth of one a second makes in the metric's unit.
  private let factor: Double
  private let kind: Kind
  private var rate: Rate

  private enum Kind {
    case busy, idle, energy
  }

  /// A counter of busy (or idle) time, `unitsPerSecond` of it a second.
  init(share file: HostFile, slot: Slot, unitsPerSecond: Double, isIdle: Bool = false, _ width: CounterWidth = .bits64) {
    (self.file, self.slot, kind, rate) = (file, slot, isIdle ? .idle : .busy, Rate(width))
    factor = 100 / unitsPerSecond
  }

  /// A counter of energy in microjoules: its growth is power.
  init(microjoules file: HostFile, slot: Slot) {
    (self.file, self.slot, kind, rate) = (file, slot, .energy, Rate(.bits64))
    factor = 1e-6
  }

  /// Reads it once. Of several counters of one series (engines, tiles) the busiest is reported.
  mutating func sample(into readings: inout Readings) throws(SensorError) {
    guard let raw = try file.integer(), raw >= 0 else {
      throw .malformed(path: file.path, what: "not a whole number from 0")
    }
    guard let growth = rate.perSecond(UInt64(raw), at: readings.nanoseconds) else { return }
    var value = growth * factor
    if kind == .idle { value = 100 - value }
    // The counter and the clock of the samples are read at different instants.
    if kind != .energy { value = min(max(value, 0), 100) }
    if slot.index >= 0, !readings.values[slot.index].isMissing { value = max(value, readings.values[slot.index]) }
    readings.set(slot, value)
  }

  /// Forgets the last value: while the device slept the counter stood still, or not.
  mutating func reset() { rate.reset() }

  /// Goes on from where an earlier counter of the same file was.
  mutating func adopt(_ earlier: [CounterFile]) {
    for counter in earlier where counter.file.path == file.path { rate = counter.rate }
  }
}
