import Platform
public import Telemetry

/// Temperatures, fans, voltages, currents, powers and alarms of all hardware monitoring chips.
///
/// Documentation/hwmon/sysfs-interface.rst: temperatures in m°C, fans in rpm, voltages in mV, currents in mA, powers in µW;
/// an alarm reads 1. Chips and sensors are named as `HwmonChip` says.
public struct HwmonSensor: Sensor {
  private static func metric(_ name: String, _ unit: Unit, _ decimals: Int, _ help: String) -> Metric {
    Metric("hwmon.\(name)", unit: unit, decimals: decimals, labels: ["chip", "sensor"], help: help)
  }

  private static let temperature = metric("temperature_celsius", .celsius, 1, "Temperature.")
  private static let temperatureMax = metric(
    "temperature_max_celsius", .celsius, 1, "Upper limit of a temperature, as the chip has it.")
  private static let temperatureCritical = metric(
    "temperature_critical_celsius", .celsius, 1, "Critical limit of a temperature, as the chip has it.")
  private static let fan = metric("fan_rpm", .revolutionsPerMinute, 0, "Fan speed; 0 is standing still.")
  private static let voltage = metric("voltage_volts", .volts, 3, "Voltage.")
  private static let current = metric("current_amperes", .amperes, 3, "Current.")
  private static let power = metric("power_watts", .watts, 3, "Power; the chip's own average where it has no instant value.")
  private static let alarm = metric("alarm", .none, 0, "1 while any alarm or fault flag of a sensor is set, else 0.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "hwmon", summary: "Temperatures, fans, voltages, currents, powers and alarms of the monitoring chips.",
    sources: ["/sys/class/hwmon/hwmon*/ (Documentation/hwmon/sysfs-interface.rst)"],
    settings: [
      SettingSpec(
        "exclude_chips", .patterns, default: "amdgpu,radeon,nouveau,i915*,xe",
        help: "Chips, by driver or by full name, that are not read; of GPUs the sensor gpu reads them, without waking the card.")
    ],
    metrics: [temperature, temperatureMax, temperatureCritical, fan, voltage, current, power, alarm])

  /// A sensor's alarm flags: several files, one series.
  private struct Alarm {
    let files: [HostFile]
    let slot: Slot
  }

  /// Set in each sample as read when the chip was found: a driver's limits are settings, not readings.
  private struct Limit {
    let slot: Slot
    let celsius: Double
  }

  private let host: Host
  private let excluded: [Glob]
  private var hotPlug: HotPlug
  private var inputs: [NumberFile] = []
  private var alarms: [Alarm] = []
  private var limits: [Limit] = []

  /// Finds all chips and their sensors.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    excluded = settings.list("exclude_chips").map { Glob($0) }
    hotPlug = HotPlug(host: host, directory: "/sys/class/hwmon")
    try discover(into: &readings)
  }

  /// Reads every input and every alarm; each that fails costs only itself.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if hotPlug.isDue() { try discover(into: &readings) }
    var read = 0
    var vanished = false
    for input in inputs {
      switch input.sample(into: &readings) {
      case .value, .nothing: read += 1
      case .vanished: vanished = true
      case .failed: break
      }
    }
    for alarm in alarms {
      switch Self.sample(alarm, into: &readings) {
      case .value, .nothing: read += 1
      case .vanished: vanished = true
      case .failed: break
      }
    }
    for limit in limits { readings.set(limit.slot, limit.celsius) }
    if vanished { hotPlug.deviceVanished() }
    if read == 0, let problem = readings.problem { throw problem }
  }

  /// One flag that is set is enough; when none could be read there is no value.
  private static func sample(_ alarm: Alarm, into readings: inout Readings) -> NumberFile.Outcome {
    var outcome = NumberFile.Outcome.nothing
    var isSet: Bool?
    for file in alarm.files {
      do throws(SensorError) {
        guard let flag = try file.integer() else { throw .malformed(path: file.path, what: "not a whole number") }
        isSet = isSet == true || flag != 0
      } catch {
        outcome = NumberFile.note(error, into: &readings)
      }
    }
    guard let isSet else { return outcome }
    readings.set(alarm.slot, isSet ? 1 : 0)
    return outcome == .vanished ? .vanished : .value
  }

  private mutating func discover(into readings: inout Readings) throws(SensorError) {
    let chips = try HwmonChip.all(on: host)
    inputs.removeAll(keepingCapacity: true)
    alarms.removeAll(keepingCapacity: true)
    limits.removeAll(keepingCapacity: true)
    for chip in chips where !Glob.any(excluded, match: chip.driver) && !Glob.any(excluded, match: chip.name) {
      do {
        for feature in try chip.features(on: host) { add(feature, of: chip, into: &readings) }
      } catch {
        readings.note(error)
      }
    }
    guard !inputs.isEmpty || !alarms.isEmpty else { throw .absent("/sys/class/hwmon") }
  }

  private mutating func add(_ feature: HwmonChip.Feature, of chip: HwmonChip, into readings: inout Readings) {
    let labels = [Label("chip", chip.name), Label("sensor", feature.name)]
    let path = "\(chip.directory)/\(feature.id)_"
    if let (metric, divisor) = Self.quantity(feature.family) {
      // Power meters have an instant value or only an average.
      let item = ["input", "average"].first { item in
        feature.items.contains { $0 == item } && (item == "input" || feature.family == "power")
      }
      if let item {
        inputs.append(
          NumberFile(
            file: host.file(path + item), slot: readings.slot(metric, labels), divisor: divisor,
            range: feature.family == "temp" ? .celsius : .any))
      }
    } else if feature.family != "intrusion" {
      return
    }
    if feature.family == "temp" {
      addLimit(path + "max", feature.items.contains("max"), Self.temperatureMax, labels, into: &readings)
      addLimit(path + "crit", feature.items.contains("crit"), Self.temperatureCritical, labels, into: &readings)
    }
    let flags = feature.items.filter { $0 == "alarm" || $0 == "fault" || $0.hasSuffix("_alarm") }
    if !flags.isEmpty {
      alarms.append(Alarm(files: flags.map { host.file(path + $0) }, slot: readings.slot(Self.alarm, labels)))
    }
  }

  /// Limits that no one set read as the end of the chip's range, as 65261.85 °C of an NVMe drive does: these are left out.
  private mutating func addLimit(
    _ path: String, _ isThere: Bool, _ metric: Metric, _ labels: [Label], into readings: inout Readings
  ) {
    guard isThere, let raw = try? host.file(path).integer() else { return }
    let celsius = Double(raw) / 1000
    guard celsius > 0, celsius < 1000 else { return }
    limits.append(Limit(slot: readings.slot(metric, labels), celsius: celsius))
  }

  private static func quantity(_ family: Substring) -> (metric: Metric, divisor: Double)? {
    switch family {
    case "temp": (temperature, 1000)
    case "fan": (fan, 1)
    case "in": (voltage, 1000)
    case "curr": (current, 1000)
    case "power": (power, 1_000_000)
    default: nil
    }
  }
}
