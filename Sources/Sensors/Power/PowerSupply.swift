import Platform
import Telemetry

/// One supply of `/sys/class/power_supply`: its attributes as the kernel has them, and the series made of them.
///
/// The kernel gives µV, µA, µW, µAh, µWh, seconds and tenths of °C (Documentation/power/power_supply_class.rst). Which of
/// them a driver has differs; what is missing is derived where that can be done exactly.
struct PowerSupply {
  private static func metric(_ name: String, _ unit: Unit, decimals: Int = 0, _ help: String) -> Metric {
    Metric("power.\(name)", unit: unit, decimals: decimals, labels: ["supply"], help: help)
  }

  static let metrics = [
    metric("present", .none, "1 when a battery is in its slot, else 0."),
    metric("online", .none, "1 when the supply delivers from outside (mains, USB; a UPS with mains), else 0."),
    metric("charging", .none, "1 while the battery is being charged, else 0."),
    metric("discharging", .none, "1 while the battery feeds the device, else 0."),
    metric("full", .none, "1 when the battery is full, else 0."),
    metric("charge_percent", .percent, decimals: 1, "What is left in the battery, as its gauge says."),
    metric(
      "seconds_left", .seconds,
      "Time until the battery is empty, while it feeds the device: the gauge's own, else an estimate from what is left and the"
        + " drain, smoothed over a minute."),
    metric("voltage_volts", .volts, decimals: 3, "Voltage of the battery, or of the line."),
    metric("current_amperes", .amperes, decimals: 3, "Current; negative while a battery is discharged."),
    metric(
      "power_watts", .watts, decimals: 3,
      "Power, measured or else voltage times current; negative while a battery is discharged."),
    metric("energy_joules", .joules, "Energy left in the battery."),
    metric(
      "full_of_design_percent", .percent, decimals: 1, "What the full battery holds now, as a share of what it was made for."),
    metric("temperature_celsius", .celsius, decimals: 1, "Temperature of the battery or the supply."),
    metric("cycles", .none, "How often the battery was charged and discharged."),
    metric("healthy", .none, "1 when the driver calls the health good, 0 when it names a trouble (overheat, dead, cold …)."),
  ]

  /// Positions in `metrics`.
  private enum Column: Int {
    case present, online, charging, discharging, full, charge, secondsLeft, voltage, current, power, energy, ofDesign
    case temperature, cycles, healthy
  }

  /// Past this a time left says only that nearly nothing is drawn: 7 days.
  private static let longestSecondsLeft = 7.0 * 86_400

  let name: String
  /// The names in its directory when it was found.
  let attributes: [String]
  private let directory: String
  private let isUPS: Bool
  private var files: [String: HostFile] = [:]
  private var slots: [Slot?]
  private var drain = Drain()

  /// The supply `name`, which has these attributes.
  init(_ name: String, _ attributes: [String], host: Host, readings: inout Readings) {
    self.name = name
    self.attributes = attributes
    directory = "/sys/class/power_supply/\(name)"
    isUPS = host.line("\(directory)/type") == "UPS"
    slots = [Slot?](repeating: nil, count: Self.metrics.count)
    for attribute in Self.read where attributes.contains(attribute) {
      files[attribute] = host.file("\(directory)/\(attribute)")
    }
  }

  private static let read = [
    "present", "online", "status", "health", "capacity", "voltage_now", "voltage_avg", "current_now", "current_avg", "power_now",
    "power_avg", "energy_now", "energy_full", "energy_full_design", "charge_now", "charge_full", "charge_full_design", "temp",
    "cycle_count", "time_to_empty_now", "time_to_empty_avg",
  ]

  /// Reads it once; false when it is gone.
  mutating func sample(into readings: inout Readings) -> Bool {
    let present = number("present", &readings)
    set(.present, present.map { $0 != 0 ? 1 : 0 }, &readings)
    // An empty slot answers ENODEV to everything else: that is no problem, and nothing is to be read.
    if present == 0 { return true }
    if files.isEmpty { return false }
    let problems = readings.problemCount
    let online = number("online", &readings)
    // 2 is a programmable supply at work (sysfs-class-power).
    set(.online, online.map { $0 > 0 ? 1 : 0 }, &readings)
    let status = status(&readings)
    let isKnown = status != nil
    let isDischarging = isKnown ? status == "Discharging" : isUPS && online == 0
    if isKnown {
      set(.charging, status == "Charging" ? 1 : 0, &readings)
      set(.full, status == "Full" ? 1 : 0, &readings)
    }
    if isKnown || isUPS && online != nil { set(.discharging, isDischarging ? 1 : 0, &readings) }
    sampleCharge(isDischarging: isDischarging, into: &readings)
    set(.temperature, number("temp", &readings, atLeast: -2731).map { $0 / 10 }, &readings)
    // Several firmwares say 0 when they do not count.
    if let cycles = number("cycle_count", &readings), cycles > 0 { set(.cycles, cycles, &readings) }
    if let health = text("health", &readings), health != "Unknown", !health.isEmpty {
      set(.healthy, health == "Good" ? 1 : 0, &readings)
    }
    return readings.problemCount - problems < files.count
  }

  /// Charge, voltage, current, power, energy and the time they leave.
  private mutating func sampleCharge(isDischarging: Bool, into readings: inout Readings) {
    let voltage = (number("voltage_now", &readings) ?? number("voltage_avg", &readings)).map { $0 / 1e6 }
    let current = (number("current_now", &readings) ?? number("current_avg", &readings)).map {
      Self.signed($0 / 1e6, isDischarging)
    }
    var power = (number("power_now", &readings) ?? number("power_avg", &readings)).map { Self.signed($0 / 1e6, isDischarging) }
    if power == nil, let voltage, let current { power = voltage * current }
    let energy = number("energy_now", &readings, atLeast: 0).map { $0 * 3600 / 1e6 }
    let charge = number("charge_now", &readings, atLeast: 0).map { $0 * 3600 / 1e6 }
    set(.voltage, voltage, &readings)
    set(.current, current, &readings)
    set(.power, power, &readings)
    set(.energy, energy, &readings)

    let energyFull = number("energy_full", &readings)
    let chargeFull = number("charge_full", &readings)
    var percent = number("capacity", &readings, atLeast: 0)
    if percent == nil { percent = Self.percent(energy.map { $0 * 1e6 / 3600 }, of: energyFull) }
    if percent == nil { percent = Self.percent(charge.map { $0 * 1e6 / 3600 }, of: chargeFull) }
    // A battery that holds more than its gauge learnt says a little over 100.
    set(.charge, percent.map { min($0, 100) }, &readings)
    set(
      .ofDesign,
      Self.percent(energyFull, of: number("energy_full_design", &readings))
        ?? Self.percent(chargeFull, of: number("charge_full_design", &readings)), &readings)

    guard isDischarging else {
      drain.forget()
      return
    }
    var left = number("time_to_empty_now", &readings) ?? number("time_to_empty_avg", &readings)
    if left == nil, let energy, let power {
      left = drain.secondsLeft(of: energy, at: -power, nanoseconds: readings.nanoseconds)
    } else if left == nil, let charge, let current {
      left = drain.secondsLeft(of: charge, at: -current, nanoseconds: readings.nanoseconds)
    }
    if let left, left >= 0, left <= Self.longestSecondsLeft { set(.secondsLeft, left, &readings) }
  }

  /// The document has a discharge negative, but many drivers give its size without a sign. A negative value is believed whatever
  /// the status says: a battery "charging" from a weak adapter may be losing charge.
  private static func signed(_ value: Double, _ isDischarging: Bool) -> Double {
    isDischarging && value > 0 ? -value : value
  }

  private static func percent(_ part: Double?, of whole: Double?) -> Double? {
    guard let part, let whole, whole > 0, part >= 0 else { return nil }
    return part / whole * 100
  }

  private mutating func set(_ column: Column, _ value: Double?, _ readings: inout Readings) {
    guard let value else { return }
    let slot = slots[column.rawValue] ?? readings.slot(Self.metrics[column.rawValue], [Label("supply", name)])
    slots[column.rawValue] = slot
    readings.set(slot, value)
  }

  /// A whole number; nil when the supply has no such attribute or no value of it now.
  private func number(_ attribute: String, _ readings: inout Readings, atLeast least: Int64 = .min) -> Double? {
    guard let file = files[attribute] else { return nil }
    do throws(SensorError) {
      guard let value = try file.integer() else { throw .malformed(path: file.path, what: "not a whole number") }
      guard value >= least else { throw .malformed(path: file.path, what: "less than can be") }
      return Double(value)
    } catch {
      _ = NumberFile.note(error, into: &readings)
      return nil
    }
  }

  /// One of the document's words; nil when the driver does not know.
  private func status(_ readings: inout Readings) -> String? {
    guard let status = text("status", &readings), status != "Unknown" else { return nil }
    if ["Charging", "Discharging", "Not charging", "Full"].contains(status) { return status }
    readings.note(.malformed(path: "\(directory)/status", what: "no word that the kernel's document has"))
    return nil
  }

  private func text(_ attribute: String, _ readings: inout Readings) -> String? {
    guard let file = files[attribute] else { return nil }
    do throws(SensorError) {
      return try file.line()
    } catch {
      _ = NumberFile.note(error, into: &readings)
      return nil
    }
  }
}

/// The drain of a battery, smoothed: a first-order low pass of one minute, so that a burst of load does not halve the time left.
struct Drain {
  private static let timeConstantSeconds = 60.0

  private var smoothed: Double?
  private var nanoseconds: Int64 = 0

  /// Seconds until `amount` is used up at a rate of `drain` per second, smoothed with the rates before; nil when nothing is drawn.
  mutating func secondsLeft(of amount: Double, at drain: Double, nanoseconds now: Int64) -> Double? {
    if let old = smoothed {
      let seconds = Double(max(now - nanoseconds, 0)) / 1e9
      smoothed = old + (drain - old) * seconds / (Self.timeConstantSeconds + seconds)
    } else {
      smoothed = drain
    }
    nanoseconds = now
    guard let smoothed, smoothed > 0, amount >= 0 else { return nil }
    return amount / smoothed
  }

  /// To be called when the battery is not drained any more.
  mutating func forget() { smoothed = nil }
}
