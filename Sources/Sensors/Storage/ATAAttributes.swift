import Platform
import Telemetry

/// The attributes of an ATA disk. What they mean is up to each maker: smartctl names them by its data base of drives, and a value is taken only
/// where number or name leave no doubt of its unit.
enum ATAAttributes {
  /// Normalised values that fall from 100, by name: what is left of an SSD's life.
  private static let lifeLeft: Set<String> = [
    "Media_Wearout_Indicator", "Percent_Lifetime_Remain", "Percent_Life_Remaining", "SSD_Life_Left", "Remaining_Lifetime_Perc",
    "Wear_Leveling_Count",
  ]
  private static let powerLosses: Set<String> = [
    "Unsafe_Shutdown_Count", "Unexpect_Power_Loss_Ct", "Unexpected_Power_Loss", "POR_Recovery_Count",
  ]
  private static let units: [(suffix: String, bytes: Double)] = [
    ("_32MiB", 32 * 1_048_576), ("_GiB", 1_073_741_824), ("_GB", 1e9), ("_MiB", 1_048_576),
  ]

  /// Takes the known ones.
  static func read(_ table: [JSONValue], blockBytes: Double, hasPlatters: Bool, into report: inout SmartReport) {
    var blocks: (read: Double?, written: Double?)
    var statesUnit = false
    for attribute in table {
      guard let id = attribute["id"]?.count, let name = attribute["name"]?.text, let raw = raw(attribute) else { continue }
      switch id {
      case 5: report.reallocated = raw
      case 187: report.mediaErrors = raw
      case 197: report.pending = raw
      case 198: report.uncorrectable = raw
      case 199: report.linkErrors = raw
      default: break
      }
      if powerLosses.contains(name) { report.unsafeShutdowns = raw }
      if !hasPlatters, lifeLeft.contains(name), let left = attribute["value"]?.count, left <= 100 {
        report.wearPercent = max(report.wearPercent ?? 0, Double(100 - left))
      }
      if let unit = units.first(where: { name.hasSuffix($0.suffix) }) {
        statesUnit = true
        if isHost(name, "Writes", "Written") { report.writtenBytes = raw * unit.bytes }
        if isHost(name, "Reads", "Read") { report.readBytes = raw * unit.bytes }
      }
      if name == "Total_LBAs_Written" { blocks.written = raw }
      if name == "Total_LBAs_Read" { blocks.read = raw }
    }
    // Makers count what is called blocks here in units of their own; those that say so elsewhere in the table are known to.
    guard !statesUnit, blockBytes == 512 || blockBytes == 4096 else { return }
    report.writtenBytes = report.writtenBytes ?? blocks.written.map { $0 * blockBytes }
    report.readBytes = report.readBytes ?? blocks.read.map { $0 * blockBytes }
  }

  /// `Host_Writes_32MiB`, `Lifetime_Writes_GiB`, `Total_Writes_GB`, not the writes to the flash itself.
  private static func isHost(_ name: String, _ first: String, _ second: String) -> Bool {
    ["Host", "Lifetime", "Total"].contains { name.hasPrefix("\($0)_\(first)_") || name.hasPrefix("\($0)_\(second)_") }
  }

  /// The first number of the raw value as smartctl writes it: `0 (0 1)` packs more behind it.
  private static func raw(_ attribute: JSONValue) -> Double? {
    guard let text = attribute["raw"]?["string"]?.text else { return nil }
    return ByteScanner.scan(text) { text in text.unsigned().map { Double($0) } }
  }
}
