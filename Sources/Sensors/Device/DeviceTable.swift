import Platform
import Telemetry

/// A file of a driver's own form; each form stands with its maker.
enum DeviceTable {
  case queues(QueueStatistics)
  case memoryErrors(MemoryErrorCounts)
  case coreLoad(CoreLoad)
  case state(DeviceState)
  case temperature(ChipTemperature)

  /// Reads it once.
  mutating func sample(into readings: inout Readings) throws(SensorError) {
    switch self {
    case .queues(var table):
      // Written back also when it throws.
      defer { self = .queues(table) }
      try table.sample(into: &readings)
    case .memoryErrors(var table):
      defer { self = .memoryErrors(table) }
      try table.sample(into: &readings)
    case .coreLoad(let table): try table.sample(into: &readings)
    case .state(let table): try table.sample(into: &readings)
    case .temperature(let table): try table.sample(into: &readings)
    }
  }

  /// The series it sets of a device that may rest.
  var slots: [Slot?] {
    switch self {
    case .queues, .coreLoad: []
    case .memoryErrors(let table): [table.uncorrected, table.corrected]
    case .state(let table): [table.slot]
    case .temperature(let table): [table.slot, table.throttled]
    }
  }

  /// Goes on from an earlier table of the same file.
  mutating func adopt(_ earlier: [DeviceTable]) {
    for table in earlier {
      switch (self, table) {
      case (.queues(let mine), .queues(let old)) where mine.file.path == old.file.path: self = table
      case (.memoryErrors(let mine), .memoryErrors(let old)) where mine.file.path == old.file.path: self = table
      default: break
      }
    }
  }
}

/// A state in words, of which some mean that the device works.
struct DeviceState {
  let file: HostFile
  let slot: Slot
  /// The good states, or how they begin.
  let working: [StaticString]

  /// 1 when it works, else 0.
  func sample(into readings: inout Readings) throws(SensorError) {
    let isWorking = try file.read { (text) throws(SensorError) -> Bool? in
      if text.isAtLineEnd { return nil }
      return working.contains { text.skip($0) }
    }
    guard let isWorking else { throw .malformed(path: file.path, what: "no state in it") }
    readings.set(slot, isWorking ? 1 : 0)
  }
}
