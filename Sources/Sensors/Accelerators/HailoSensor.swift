import Platform
public import Telemetry

/// Hailo's accelerators: temperature, throttling, power, and what the networks on them do.
///
/// Temperature and power are told only by Hailo's library, which is called in a process of its own (`SensorHostLink`); use and frames by
/// the files of programs that run networks (`HailoMonitor`); the PCIe link by the kernel. Each goes on without the others.
public struct HailoSensor: Sensor {
  private static let answered = [
    AcceleratorMetrics.info, AcceleratorMetrics.temperature, AcceleratorMetrics.throttled, AcceleratorMetrics.power,
    AcceleratorMetrics.clock,
  ]
  private static let directory = "/sys/class/hailo_chardev"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "hailo", summary: "Hailo's AI accelerators: temperature, throttling, power, PCIe link, use and frames of each network.",
    sources: [
      "libhailort.so (hailo/hailort.h, github.com/hailo-ai/hailort), called by godwit sensor-host",
      "/tmp/hmon_files (libhailort/scheduler_mon.proto) of programs started with HAILO_MONITOR=1",
      "/sys/class/hailo_chardev, /sys/bus/pci/devices/*/current_link_{speed,width}, /sys/module/hailo_pci/version",
    ],
    lane: .slow,
    settings: SensorHostLink.settings(file: "libhailort.so", device: "/dev/hailo0") + [
      SettingSpec("networks", .bool, default: "true", help: "Whether use and frames of each network are reported.")
    ],
    metrics: answered + [
      AcceleratorMetrics.usage, AcceleratorMetrics.networkUsage, AcceleratorMetrics.framesPerSecond, AcceleratorMetrics.linkWidth,
      AcceleratorMetrics.linkWidthMax, AcceleratorMetrics.linkSpeed, AcceleratorMetrics.linkSpeedMax,
    ],
    bounds: { settings in
      guard !settings.bool("networks") else { return [] }
      return [
        .off(
          [AcceleratorMetrics.networkUsage, AcceleratorMetrics.framesPerSecond], why: "'networks' is false",
          remedy: "write 'networks: true'")
      ]
    })

  private let host: Host
  private let link: SensorHostLink
  private let values = AnsweredValues(Self.answered)
  private let withNetworks: Bool
  private var names = ChosenNames()
  /// The name of a device (`hailo0`) by its PCI address.
  private var devices: [(address: String, name: String)] = []

  /// Looks for Hailo's driver; no process is started yet.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    let path = settings.text("library")
    guard !path.isEmpty || host.exists(Self.directory) || host.exists("/dev/hailo0") else { throw .absent("/dev/hailo0") }
    link = SensorHostLink(
      library: "hailo", path: path, timeoutMilliseconds: settings.milliseconds("answer_within"), context: context)
    withNetworks = settings.bool("networks")
  }

  /// Asks the library, the monitor files and the kernel; each that fails costs only its own values.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    findDevices()
    var absence: String?
    do throws(SensorError) {
      try ask(into: &readings)
    } catch {
      if case .absent(let what) = error { absence = what } else { readings.note(error) }
    }
    if withNetworks { readMonitors(into: &readings) }
    // The link says nothing of how the device is.
    if let absence, !devices.isEmpty, !readings.values.contains(where: { !$0.isMissing }) {
      readings.note(.device("hailo", what: "only the PCIe link is known, without \(absence)"))
    }
    for device in devices { readLink(device.address, device.name, into: &readings) }
    guard readings.values.contains(where: { !$0.isMissing }) else {
      throw absence.map { .absent($0) } ?? readings.problem ?? .absent(Self.directory)
    }
  }

  private mutating func findDevices() {
    let found = (try? host.list(Self.directory)) ?? []
    devices = found.compactMap { name in
      host.line("\(Self.directory)/\(name)/board_location").map { (address: $0, name: name) }
    }
  }

  /// The label of a device that is called by its PCI address.
  private func name(of address: String) -> String { devices.first { $0.address == address }?.name ?? address }

  private func ask(into readings: inout Readings) throws(SensorError) {
    let answer = try link.sample(at: readings.nanoseconds)
    let driver = host.line("/sys/module/hailo_pci/version") ?? ""
    for var entry in answer.entries {
      for index in entry.labels.indices where entry.labels[index].key == "device" {
        entry.labels[index] = Label("device", name(of: entry.labels[index].value))
      }
      if entry.metric == AcceleratorMetrics.info.name { entry.labels.append(Label("driver", driver)) }
      values.set(entry, in: &readings)
    }
    for problem in answer.problems { readings.note(.device("hailo", what: problem)) }
  }

  /// A file does not say which network runs on which of several devices: then they count as of the first. The same network in several
  /// programs is one.
  private mutating func readMonitors(into readings: inout Readings) {
    var usage: [String: Double] = [:]
    var networks: [String: (device: String, name: String, percent: Double?, frames: Double?)] = [:]
    for monitor in HailoMonitor.all(on: host, into: &readings) {
      // Anybody can write these files: only devices that are there are believed, where the kernel lists them.
      let known = monitor.devices.filter { device in devices.isEmpty || devices.contains { $0.address == device.id } }
      // Each program tells the share of time that it used itself.
      for device in known { usage[name(of: device.id), default: 0] += device.percent ?? 0 }
      guard let device = known.first?.id ?? devices.first?.address else { continue }
      for network in monitor.networks {
        let label = names.admit(network.name)
        let key = "\(device) \(label)"
        var sum = networks[key] ?? (name(of: device), label, nil, nil)
        if let percent = network.percent { sum.percent = (sum.percent ?? 0) + percent }
        if let frames = network.framesPerSecond { sum.frames = (sum.frames ?? 0) + frames }
        networks[key] = sum
      }
    }
    for (device, percent) in usage {
      readings.set(readings.slot(AcceleratorMetrics.usage, [Label("device", device)]), min(percent, 100))
    }
    for network in networks.values {
      let labels = [Label("device", network.device), Label("network", network.name)]
      if let percent = network.percent {
        readings.set(readings.slot(AcceleratorMetrics.networkUsage, labels), min(percent, 100))
      }
      if let frames = network.frames { readings.set(readings.slot(AcceleratorMetrics.framesPerSecond, labels), frames) }
    }
  }

  /// `8.0 GT/s PCIe` and a number of lanes (Documentation/ABI/testing/sysfs-bus-pci).
  private func readLink(_ address: String, _ name: String, into readings: inout Readings) {
    let path = "/sys/bus/pci/devices/\(address)/"
    let label = [Label("device", name)]
    for (file, metric, scale) in [
      ("current_link_width", AcceleratorMetrics.linkWidth, 1.0), ("max_link_width", AcceleratorMetrics.linkWidthMax, 1),
      ("current_link_speed", AcceleratorMetrics.linkSpeed, 1e9), ("max_link_speed", AcceleratorMetrics.linkSpeedMax, 1e9),
    ] {
      let number = try? host.file(path + file).read { (text) throws(SensorError) in text.decimal() }
      if let value = number ?? nil, value > 0, value < 1000 { readings.set(readings.slot(metric, label), value * scale) }
    }
  }
}
