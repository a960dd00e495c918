import Platform
public import Telemetry

/// Wear of eMMC storage, as the device itself estimates it (JESD84-B51, EXT_CSD bytes 267 to 269; since eMMC 5.0).
///
/// SD cards have no such registers: of them only the age is known. The kernel shows the registers as they were when it initialised
/// the device.
public struct MMCSensor: Sensor {
  private static let directory = "/sys/block"

  private static let lifeUsed = Metric(
    "mmc.life_used_percent", unit: .percent, labels: ["device", "area"],
    help: "Share of the rated life that is used up, as of the last boot, in steps of 10: the upper end of the step. 110 is past"
      + " it. The areas a and b are the device's two kinds of memory, mostly SLC and MLC.")
  private static let preEndOfLife = Metric(
    "mmc.pre_eol", unit: .none, labels: ["device"],
    help: "Use of the reserved blocks: 1 normal, 2 warning (80 % are used), 3 urgent (90 %).")
  private static let made = Metric(
    "mmc.manufactured_timestamp_seconds", unit: .seconds, labels: ["device"],
    help: "The month in which the card or chip was made, as the Unix time of its first day.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "mmc", summary: "Wear of eMMC storage, age of SD cards.",
    sources: [
      "/sys/block/mmcblk*/device/{life_time,pre_eol_info,date} (Documentation/driver-api/mmc/mmc-dev-attrs.rst, JESD84-B51)"
    ],
    everySeconds: 3600,
    settings: [SettingSpec("exclude", .patterns, default: "", help: "Devices left out, for example `mmcblk0`.")],
    metrics: [lifeUsed, preEndOfLife, made])

  private struct Device {
    let lifeTime, preEndOfLife: HostFile?
    let areas: [Slot]
    let preEndOfLifeSlot: Slot
    let made: Double?
    let madeSlot: Slot
  }

  private let host: Host
  private let filter: NameFilter
  private var devices: [Device] = []

  /// Finds the cards and chips.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: [], exclude: settings.list("exclude"))
    try discover(into: &readings)
  }

  /// Finds the devices anew, as cards are changed, and reads two files each; nothing waits for the device.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    try discover(into: &readings)
    for device in devices {
      readings.set(device.madeSlot, device.made)
      readings.attempt { (readings) throws(SensorError) in
        try device.lifeTime?.read { (text) throws(SensorError) in
          for slot in device.areas { readings.set(slot, try Self.lifeUsed(&text, path: device.lifeTime?.path ?? "")) }
        }
      }
      readings.attempt { (readings) throws(SensorError) in
        try device.preEndOfLife?.read { (text) throws(SensorError) in
          guard let level = Self.register(&text), level <= 3 else {
            throw .malformed(path: device.preEndOfLife?.path ?? "", what: "no level from 0 to 3")
          }
          // 0 is not defined: the device does not say.
          if level > 0 { readings.set(device.preEndOfLifeSlot, Double(level)) }
        }
      }
    }
  }

  /// `0x01` is 0…10 % used, and so on to `0x0a`; `0x0b` is past the rated life; `0x00` is not defined.
  private static func lifeUsed(_ text: inout ByteScanner, path: String) throws(SensorError) -> Double? {
    guard let step = register(&text), step <= 0x0B else { throw .malformed(path: path, what: "no steps from 0x00 to 0x0b") }
    return step == 0 ? nil : Double(step) * 10
  }

  /// Older kernels write `pre_eol_info` without `0x`.
  private static func register(_ text: inout ByteScanner) -> UInt64? {
    text.skipBlanks()
    _ = text.skip("0x")
    return text.hexadecimal()
  }

  private mutating func discover(into readings: inout Readings) throws(SensorError) {
    let found = try host.list(Self.directory).filter { Self.isWhole($0) && filter.admits($0) }
    guard !found.isEmpty else { throw .absent("\(Self.directory)/mmcblk*") }
    devices = found.map { name in
      let path = "\(Self.directory)/\(name)/device"
      let label = Label("device", name)
      func file(_ item: String) -> HostFile? { host.exists("\(path)/\(item)") ? host.file("\(path)/\(item)") : nil }
      return Device(
        lifeTime: file("life_time"), preEndOfLife: file("pre_eol_info"),
        areas: ["a", "b"].map { readings.slot(Self.lifeUsed, [label, Label("area", $0)]) },
        preEndOfLifeSlot: readings.slot(Self.preEndOfLife, [label]), made: host.line("\(path)/date").flatMap(Self.month),
        madeSlot: readings.slot(Self.made, [label]))
    }
  }

  /// `mmcblk0`, not its partitions or boot areas.
  private static func isWhole(_ name: String) -> Bool {
    name.hasPrefix("mmcblk") && name.utf8.count > 6 && name.utf8.dropFirst(6).allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }

  /// `04/2023` → the Unix time of 2023-04-01.
  private static func month(_ date: String) -> Double? {
    let parts = date.split(separator: "/")
    guard parts.count == 2 else { return nil }
    return WallTime.milliseconds("\(parts[1])-\(parts[0])-01").map { Double($0) / 1_000 }
  }
}
