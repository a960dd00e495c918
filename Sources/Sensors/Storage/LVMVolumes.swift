import Platform
import Telemetry

/// Thin pools and RAID volumes of LVM, by lvs(8) and lvmreport(7).
enum LVMVolumes {
  static let arguments = [
    "--reportformat", "json", "-o",
    "vg_name,lv_name,segtype,data_percent,metadata_percent,lv_health_status,sync_percent,raid_mismatch_count",
  ]
  private static let limits = JSONReader.Limits(bytes: 1 << 20, depth: 8, values: 50_000)

  /// Whether the device mapper has any: the ids and names of the parts that LVM makes of them say so (lib/uuid, lvmraid(7)).
  static func areThere(on host: Host) -> Bool {
    ((try? host.list("/sys/block")) ?? []).contains { entry in
      guard entry.hasPrefix("dm-") else { return false }
      let uuid = host.line("/sys/block/\(entry)/dm/uuid") ?? ""
      guard uuid.hasPrefix("LVM-") else { return false }
      if uuid.hasSuffix("-tpool") { return true }
      return (host.line("/sys/block/\(entry)/dm/name") ?? "").split(separator: "_").contains { $0 == "rimage" }
    }
  }

  /// What lvs wrote.
  static func reports(_ output: [UInt8]) throws(SensorError) -> [ArrayReport] {
    let answer: JSONValue
    do throws(JSONError) {
      answer = try JSONReader.read(output, limits: limits)
    } catch {
      throw .malformed(path: "lvs", what: "no JSON: \(error)")
    }
    guard let volumes = answer["report"]?.elements?.first?["lv"]?.elements else {
      throw .malformed(path: "lvs", what: "no volumes in it")
    }
    return volumes.compactMap { volume in
      guard let group = volume["vg_name"]?.text, let name = volume["lv_name"]?.text, let type = volume["segtype"]?.text else {
        return nil
      }
      var report = ArrayReport(name: "\(group)/\(name)", type: "lvm")
      let health = volume["lv_health_status"]?.text ?? ""
      if type == "thin-pool" {
        report.usedPercent = percent(volume["data_percent"])
        report.metadataPercent = percent(volume["metadata_percent"])
        report.works = !["failed", "out_of_data", "metadata_read_only"].contains(health)
      } else if type.hasPrefix("raid") || type == "mirror" {
        report.isDegraded = health == "partial" || health == "refresh needed"
        let synced = percent(volume["sync_percent"])
        report.isRebuilding = synced.map { $0 < 100 }
        if report.isRebuilding == true { report.syncPercent = synced }
        report.mismatches = volume["raid_mismatch_count"]?.text.flatMap { Quantity.number($0) }.flatMap { $0 >= 0 ? $0 : nil }
      } else {
        return nil
      }
      return report
    }
  }

  private static func percent(_ value: JSONValue?) -> Double? {
    guard let text = value?.text, let number = Quantity.number(text), (0...100).contains(number) else { return nil }
    return number
  }
}
