import Platform
import Telemetry

/// A hardware monitoring chip as sysfs shows it, and the names by which its series are known.
///
/// The kernel numbers `hwmon0`, `hwmon1` … in order of registration, which changes between boots: a chip is named by what its
/// driver calls it, and by its device where several are called alike.
struct HwmonChip {
  /// Where its attributes are.
  let directory: String
  /// The driver's name for it.
  let driver: String
  /// The name of its series; distinct among all chips.
  private(set) var name: String

  /// A sensor of a chip: `temp1`, its suffixes (`input`, `label`, `crit_alarm` …) and the name it goes by.
  struct Feature {
    /// `temp`, `fan`, `in`, `curr`, `power`, `intrusion`.
    let family: Substring
    /// `temp1`
    let id: Substring
    /// What follows `temp1_`.
    var items: [Substring]
    /// Its label, or else its id; distinct within the chip.
    var name: String
  }

  /// All chips under `/sys/class/hwmon`.
  static func all(on host: Host) throws(SensorError) -> [HwmonChip] {
    let directory = "/sys/class/hwmon"
    var chips: [HwmonChip] = []
    var devices: [String?] = []
    var numbers: [String?] = []
    for entry in try host.list(directory) {
      let path = "\(directory)/\(entry)"
      // Drivers from before Linux 3.13 keep their attributes at the device.
      let home = host.exists("\(path)/name") ? path : "\(path)/device"
      guard let driver = host.line("\(home)/name"), !driver.isEmpty else { continue }
      chips.append(HwmonChip(directory: home, driver: driver, name: driver))
      devices.append(host.link("\(path)/device")?.split(separator: "/").last.map { String($0) })
      numbers.append(entry)
    }
    tellApart(&chips, by: devices)
    // Two monitors on one device, or none known: nothing but the number is left.
    tellApart(&chips, by: numbers)
    return chips
  }

  /// Gives chips of equal name a suffix each.
  private static func tellApart(_ chips: inout [HwmonChip], by suffixes: [String?]) {
    var count: [String: Int] = [:]
    for chip in chips { count[chip.name, default: 0] += 1 }
    for index in chips.indices where count[chips[index].name, default: 0] > 1 {
      if let suffix = suffixes[index] { chips[index].name += "-\(suffix)" }
    }
  }

  /// Its sensors, in the order of their ids.
  func features(on host: Host) throws(SensorError) -> [Feature] {
    var features: [Feature] = []
    for entry in try host.list(directory) {
      guard let (family, id, item) = Self.split(entry) else { continue }
      // The listing is sorted: the attributes of one sensor follow one another.
      if features.last?.id == id {
        features[features.count - 1].items.append(item)
      } else {
        features.append(Feature(family: family, id: id, items: [item], name: String(id)))
      }
    }
    var count: [String: Int] = [:]
    for index in features.indices {
      if features[index].items.contains("label"), let label = label(of: features[index].id, on: host) {
        features[index].name = label
      }
      count[features[index].name, default: 0] += 1
    }
    for index in features.indices where count[features[index].name, default: 0] > 1 {
      let feature = features[index]
      if feature.name != feature.id { features[index].name = "\(feature.name) (\(feature.id))" }
    }
    return features
  }

  /// The label as the driver gives it, control characters made blank, without outer blanks; nil when nothing is left of it.
  private func label(of id: Substring, on host: Host) -> String? {
    guard let line = host.line("\(directory)/\(id)_label") else { return nil }
    let blank: Unicode.Scalar = " "
    var text = String(String.UnicodeScalarView(line.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? blank : $0 }))
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text.isEmpty ? nil : text
  }

  /// `temp1_crit_alarm` → `temp`, `temp1`, `crit_alarm`; nil for what is no attribute of a numbered sensor.
  static func split(_ entry: String) -> (family: Substring, id: Substring, item: Substring)? {
    guard let underscore = entry.firstIndex(of: "_") else { return nil }
    let id = entry[..<underscore]
    let family = id.prefix { $0 >= "a" && $0 <= "z" }
    let number = id[family.endIndex...]
    guard !family.isEmpty, !number.isEmpty, number.allSatisfy({ $0 >= "0" && $0 <= "9" }) else { return nil }
    return (family, id, entry[entry.index(after: underscore)...])
  }
}
