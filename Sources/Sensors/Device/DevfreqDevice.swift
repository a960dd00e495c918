import Platform
import Telemetry

/// A device whose frequency the devfreq framework sets (Documentation/ABI/testing/sysfs-class-devfreq): frequencies in Hz.
///
/// How busy it is, the framework does not show. Two vendors' kernels do: Rockchip's has `load`, `12@300000000Hz` in percent of the
/// last interval; Jetson's GPU driver has `device/load` in tenths of a percent.
struct DevfreqDevice {
  static let directory = "/sys/class/devfreq"

  /// What sensor reads it.
  enum Role {
    case gpu, npu, other
  }

  /// `fdab0000.npu`
  let entry: String

  /// All devices, sorted.
  static func all(on host: Host) -> [DevfreqDevice] {
    ((try? host.list(directory)) ?? []).map { DevfreqDevice(entry: $0) }
  }

  var path: String { "\(Self.directory)/\(entry)" }

  /// The device's name in the device tree without its address: `npu`; the whole entry where there is no address.
  var name: String { Self.name(of: entry) }

  /// By the name: `gpu`, Jetson's chips (`gv11b`, `ga10b` …), `npu`.
  var role: Role {
    switch name {
    case "gpu", "gm20b", "gp10b", "gv11b", "ga10b", "gb10b": .gpu
    case "npu": .npu
    default: .other
    }
  }

  /// `17000000.ga10b` → `ga10b`.
  static func name(of entry: String) -> String {
    guard let dot = entry.firstIndex(of: "."), entry[..<dot].allSatisfy(\.isHexDigit) else { return entry }
    return String(entry[entry.index(after: dot)...])
  }

  /// Its frequency, its highest one and its load where the kernel has it. The driver answers from what it knows: nothing is woken.
  func add(
    to builder: inout DeviceBuilder, clock: Metric, max: Metric, usage: Metric, _ labels: [Label], _ readings: inout Readings
  ) {
    builder.add("\(path)/cur_freq", clock, labels: labels, isCalm: true, &readings)
    // Not `max_freq`, which a user or a cooling device may have lowered.
    let highest = try? builder.file("\(path)/available_frequencies")?.read { (text) throws(SensorError) -> UInt64 in
      var highest: UInt64 = 0
      while let frequency = text.unsigned() { highest = Swift.max(highest, frequency) }
      return highest
    }
    if let highest, highest > 0 {
      builder.attributes.constants.append((readings.slot(max, [builder.label] + labels), Double(highest)))
    } else {
      builder.addConstant("\(path)/max_freq", max, labels: labels, isCalm: true, &readings)
    }
    if builder.file("\(path)/device/load") != nil {
      builder.add("\(path)/device/load", usage, divisor: 10, range: .fromZero, isCalm: true, &readings)
    } else {
      builder.add("\(path)/load", usage, range: .fromZero, isCalm: true, &readings)
    }
  }
}
