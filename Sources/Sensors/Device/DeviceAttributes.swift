import Glibc
import Platform
import Telemetry

/// What a driver shows of one device, and when it may be read: the common part of GPUs and accelerators, whoever made them. A
/// backend only says which files there are.
struct DeviceAttributes {
  /// What one sample of the device gave.
  struct Outcome {
    /// Files that were read, or are known to have nothing to say.
    var read = 0
    /// A file is gone: the device was unplugged, or its driver unloaded.
    var vanished = false
    /// The device slept when its attributes were found and is awake now: what it did not tell then can be asked.
    var wokeUp = false
  }

  /// Files that are answered without the device, asleep or not.
  var calm: [NumberFile] = []
  /// Files that wake the device.
  var numbers: [NumberFile] = []
  /// Text that begins with a decimal number, scaled: the speed of a PCIe link, `8.0 GT/s PCIe`.
  var decimals: [(file: HostFile, slot: Slot, factor: Double)] = []
  /// Counters that wake the device.
  var counters: [CounterFile] = []
  /// Counters that are answered without the device.
  var calmCounters: [CounterFile] = []
  /// Why the clocks are held down.
  var throttles: [ThrottleReasons] = []
  /// Tables of a driver's own form.
  var tables: [DeviceTable] = []
  /// Read once: what does not change while the device is there.
  var constants: [(slot: Slot, value: Double)] = []
  /// A share of two values: how full the memory is.
  var ratio: (part: Slot, whole: Slot, percent: Slot)?
  /// The share of time with work: 0 while the device sleeps, and what tells an idle device.
  var usage: Slot?

  private let suspended: Slot?
  private var power: RuntimePower?
  private var wasAsleep = false
  private var resting: [(slot: Slot, value: Double)] = []

  /// A device whose attributes are all calm has no `power`.
  init(power: RuntimePower? = nil, suspended: Slot? = nil, at now: Int64 = 0) {
    (self.power, self.suspended) = (power, suspended)
    wasAsleep = power?.state(at: now) == .asleep
  }

  /// Whether the device sleeps: its constants must not be asked then.
  var isAsleep: Bool { wasAsleep }

  /// Whether there is anything to read.
  var isEmpty: Bool {
    calm.isEmpty && numbers.isEmpty && decimals.isEmpty && counters.isEmpty && calmCounters.isEmpty && tables.isEmpty
  }

  /// Goes on from an earlier view of the same device: rates have no gap when devices are looked for anew.
  mutating func adopt(_ earlier: DeviceAttributes) {
    for index in counters.indices { counters[index].adopt(earlier.counters) }
    for index in calmCounters.indices { calmCounters[index].adopt(earlier.calmCounters) }
    for index in tables.indices { tables[index].adopt(earlier.tables) }
    (power, resting) = (earlier.power, earlier.resting)
  }

  /// Reads what may be read now. A problem is noted and costs only its value.
  mutating func sample(into readings: inout Readings) -> Outcome {
    var outcome = Outcome()
    for constant in constants { readings.set(constant.slot, constant.value) }
    for file in calm { Self.attempt(&readings, &outcome) { (readings) throws(SensorError) in try file.set(&readings) } }
    Self.sample(&calmCounters, &readings, &outcome)
    switch power?.state(at: readings.nanoseconds) ?? .awake {
    case .awake:
      outcome.wokeUp = wasAsleep
      readAwake(&readings, &outcome)
    case .resting:
      for value in resting { readings.set(value.slot, value.value) }
      outcome.read += 1
    case .asleep:
      if let usage { readings.set(usage, 0) }
      if let suspended { readings.set(suspended, 1) }
      for index in counters.indices { counters[index].reset() }
      outcome.read += 1
      wasAsleep = true
    }
    if let ratio { Self.set(ratio, in: &readings) }
    return outcome
  }

  private mutating func readAwake(_ readings: inout Readings, _ outcome: inout Outcome) {
    wasAsleep = false
    if power != nil, let suspended { readings.set(suspended, 0) }
    for file in numbers { Self.attempt(&readings, &outcome) { (readings) throws(SensorError) in try file.set(&readings) } }
    for (file, slot, factor) in decimals {
      Self.attempt(&readings, &outcome) { (readings) throws(SensorError) in
        // No number: `Unknown`, of a link that is down.
        readings.set(slot, try file.read { (text) throws(SensorError) in text.decimal() }.map { $0 * factor })
      }
    }
    Self.sample(&counters, &readings, &outcome)
    for throttle in throttles {
      Self.attempt(&readings, &outcome) { (readings) throws(SensorError) in try throttle.sample(into: &readings) }
    }
    for index in tables.indices {
      Self.attempt(&readings, &outcome) { (readings) throws(SensorError) in try tables[index].sample(into: &readings) }
    }
    guard power != nil else { return }
    let busy = usage.map { $0.index >= 0 ? readings.values[$0.index] : .missing } ?? .missing
    guard busy.isMissing || busy < 1 else { return }
    power?.rest(from: readings.nanoseconds)
    let slots =
      numbers.map(\.slot) + decimals.map(\.slot) + counters.map(\.slot) + throttles.flatMap(\.slots) + tables.flatMap(\.slots)
      + [suspended]
    resting = slots.compactMap { slot in
      guard let slot, slot.index >= 0, !readings.values[slot.index].isMissing else { return nil }
      return (slot, readings.values[slot.index])
    }
  }

  private static func sample(_ counters: inout [CounterFile], _ readings: inout Readings, _ outcome: inout Outcome) {
    for index in counters.indices {
      attempt(&readings, &outcome) { (readings) throws(SensorError) in try counters[index].sample(into: &readings) }
    }
  }

  private static func set(_ ratio: (part: Slot, whole: Slot, percent: Slot), in readings: inout Readings) {
    guard ratio.part.index >= 0, ratio.whole.index >= 0 else { return }
    let (part, whole) = (readings.values[ratio.part.index], readings.values[ratio.whole.index])
    if !part.isMissing, !whole.isMissing, whole > 0 { readings.set(ratio.percent, part / whole * 100) }
  }

  private static func attempt(
    _ readings: inout Readings, _ outcome: inout Outcome, _ body: (inout Readings) throws(SensorError) -> Void
  ) {
    do {
      try body(&readings)
      outcome.read += 1
    } catch {
      switch note(error, into: &readings) {
      case .value, .nothing: outcome.read += 1
      case .vanished: outcome.vanished = true
      case .failed: break
      }
    }
  }

  /// Notes a failed read. Drivers show files for what a chip does not measure (EOPNOTSUPP, EINVAL), and refuse while it resets or
  /// falls asleep (EPERM from amdgpu since Linux 6.15, EBUSY): no reading, and nothing is wrong.
  static func note(_ error: SensorError, into readings: inout Readings) -> NumberFile.Outcome {
    switch error {
    case .io(_, EOPNOTSUPP), .io(_, EINVAL), .io(_, EPERM), .io(_, EBUSY): .nothing
    default: NumberFile.note(error, into: &readings)
    }
  }
}

extension NumberFile {
  fileprivate func set(_ readings: inout Readings) throws(SensorError) { readings.set(slot, try value()) }
}
