import Platform
import Telemetry

/// The metrics that GPUs and accelerators have in common, each in its family, and the label that names the device.
struct DeviceMetrics {
  let label: String
  let info, suspended, temperature, power, linkWidth, linkWidthMax, linkSpeed, linkSpeedMax: Metric
  var temperatureCritical, powerLimit, clock, fanRPM, fanPercent: Metric?
}

/// A device being described: which of its files belong to which series.
struct DeviceBuilder {
  let host: Host
  /// The driver's device, `/sys/class/…/<name>/device`.
  let directory: String
  let metrics: DeviceMetrics
  /// The label of all its series.
  let label: Label
  var attributes: DeviceAttributes

  /// Begins with the power state when anything of the device may wake it.
  init(
    host: Host, directory: String, metrics: DeviceMetrics, name: String, sleeps: Bool, letSleep: Bool,
    _ readings: inout Readings
  ) {
    (self.host, self.directory, self.metrics) = (host, directory, metrics)
    label = Label(metrics.label, name)
    guard sleeps else {
      attributes = DeviceAttributes()
      return
    }
    attributes = DeviceAttributes(
      power: RuntimePower(device: directory, host: host, letSleep: letSleep),
      suspended: readings.slot(metrics.suspended, [label]), at: readings.nanoseconds)
  }

  /// The name of its driver's module; empty when there is none.
  var driver: String {
    host.link("\(directory)/driver")?.split(separator: "/").last.map { String($0) } ?? ""
  }

  /// A file of the device, if it is there.
  func file(_ name: String) -> HostFile? {
    let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
    return host.exists(path) ? host.file(path) : nil
  }

  /// A number that wakes the device, if there is such a file.
  mutating func add(
    _ name: String, _ metric: Metric, labels: [Label] = [], divisor: Double = 1, range: NumberFile.Range = .any,
    isCalm: Bool = false, _ readings: inout Readings
  ) {
    guard let file = file(name) else { return }
    let number = NumberFile(file: file, slot: readings.slot(metric, [label] + labels), divisor: divisor, range: range)
    if isCalm { attributes.calm.append(number) } else { attributes.numbers.append(number) }
  }

  /// A number that stays as it is. One that wakes the device is left for when it is awake.
  mutating func addConstant(
    _ name: String, _ metric: Metric, labels: [Label] = [], divisor: Double = 1, isCalm: Bool = false,
    _ readings: inout Readings
  ) {
    guard isCalm || !attributes.isAsleep, let file = file(name), let raw = try? file.integer(), raw > 0 else { return }
    attributes.constants.append((readings.slot(metric, [label] + labels), Double(raw) / divisor))
  }

  /// What the device is. The model is the driver's text, else the PCI ids or the device tree's name.
  mutating func addInfo(model: String = "", driver: String, firmware: String = "", _ readings: inout Readings) {
    let labels = [
      label, Label("model", model.isEmpty ? hardwareName : model), Label("driver", driver), Label("firmware", firmware),
    ]
    attributes.constants.append((readings.slot(metrics.info, labels), 1))
  }

  private var hardwareName: String {
    if let vendor = host.line("\(directory)/vendor"), let device = host.line("\(directory)/device") {
      return "\(vendor.dropFirst(2)):\(device.dropFirst(2))"
    }
    // Texts, each ended by a zero byte, the most exact first (Devicetree Specification 2.3.1).
    return String((host.line("\(directory)/of_node/compatible") ?? "").prefix { $0 != "\0" })
  }

  /// The PCIe link (drivers/pci/pci-sysfs.c): lanes, and `8.0 GT/s PCIe`. Newer kernels wake the device for it.
  mutating func addLink(_ readings: inout Readings) {
    if let speed = file("current_link_speed") {
      attributes.decimals.append((speed, readings.slot(metrics.linkSpeed, [label]), 1e9))
    }
    add("current_link_width", metrics.linkWidth, &readings)
    addConstant("max_link_width", metrics.linkWidthMax, &readings)
    if !attributes.isAsleep, let max = file("max_link_speed"),
      let speed = try? max.read({ (text) throws(SensorError) in text.decimal() })
    {
      attributes.constants.append((readings.slot(metrics.linkSpeedMax, [label]), speed * 1e9))
    }
  }

  /// The monitoring chip that the driver made (Documentation/hwmon/sysfs-interface.rst): temperatures, fans, power and clocks.
  mutating func addMonitor(driver: String, _ readings: inout Readings) {
    guard let chips = try? host.list("\(directory)/hwmon") else { return }
    for entry in chips {
      let path = "\(directory)/hwmon/\(entry)"
      // Besides its own an i915 has a chip for each of its tiles.
      guard let name = host.line("\(path)/name"), name == driver || chips.count == 1 else { continue }
      let chip = HwmonChip(directory: path, driver: name, name: name)
      let features = (try? chip.features(on: host)) ?? []
      for feature in features {
        // Its name has the id behind it where any two sensors have one label, as a temperature and an energy `pkg`.
        let label = host.line("\(path)/\(feature.id)_label") ?? ""
        let isOwn = features.count { $0.family == feature.family && $0.name.hasPrefix(label) } == 1
        add(feature, name: label.isEmpty || !isOwn ? feature.name : label, path: "\(path)/\(feature.id)", &readings)
      }
      if let fan = metrics.fanPercent {
        add("\(path)/pwm1", fan, labels: [Label("fan", "fan1")], divisor: 2.55, &readings)
      }
      return
    }
  }

  private mutating func add(_ feature: HwmonChip.Feature, name: String, path: String, _ readings: inout Readings) {
    let sensor = [Label("sensor", name)]
    switch feature.family {
    case "temp":
      add("\(path)_input", metrics.temperature, labels: sensor, divisor: 1000, range: .celsius, &readings)
      if let critical = metrics.temperatureCritical {
        addConstant("\(path)_crit", critical, labels: sensor, divisor: 1000, &readings)
      }
    case "fan":
      if let fan = metrics.fanRPM { add("\(path)_input", fan, labels: [Label("fan", String(feature.id))], &readings) }
    case "power" where feature.id == "power1":
      // An instant value, or only an average.
      let item = host.exists("\(path)_input") ? "input" : "average"
      add("\(path)_\(item)", metrics.power, divisor: 1_000_000, &readings)
      if let limit = metrics.powerLimit {
        // Sustained limit: PL1 of Intel's drivers, the only one of amdgpu.
        let item = host.exists("\(path)_max") ? "max" : "cap"
        addConstant("\(path)_\(item)", limit, divisor: 1_000_000, &readings)
      }
    case "energy" where feature.id == "energy1":
      if let file = file("\(path)_input") {
        attributes.counters.append(CounterFile(microjoules: file, slot: readings.slot(metrics.power, [label])))
      }
    case "freq":
      guard let clock = metrics.clock else { return }
      let part = name == "sclk" ? "graphics" : name == "mclk" ? "memory" : name
      add("\(path)_input", clock, labels: [Label("clock", part)], &readings)
    default: break
    }
  }
}
