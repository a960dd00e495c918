import Platform
import Telemetry

/// The mounted btrfs file systems: `/sys/fs/btrfs/<uuid>` (fs/btrfs/sysfs.c; Documentation/ABI/testing/sysfs-fs-btrfs). Counts of errors since
/// Linux 5.14.
enum BtrfsVolumes {
  private static let directory = "/sys/fs/btrfs"

  static func all(on host: Host, into readings: inout Readings) -> [ArrayReport] {
    // Beside them there is `features`.
    let uuids = ((try? host.list(directory)) ?? []).filter { $0.utf8.count == 36 }
    var reports: [ArrayReport] = []
    for uuid in uuids {
      let path = "\(directory)/\(uuid)"
      let label = host.line("\(path)/label") ?? ""
      // Two with one label are told apart by their ids.
      let isTaken = label.isEmpty || reports.contains { $0.name == label }
      var report = ArrayReport(name: isTaken ? uuid : label, type: "btrfs")
      for id in (try? host.list("\(path)/devinfo")) ?? [] {
        readings.attempt { (_) throws(SensorError) in report.members.append(try member(id, "\(path)/devinfo/\(id)", host)) }
      }
      guard !report.members.isEmpty else { continue }
      report.devices = report.members.count
      let failed = report.members.count { $0.hasFailed == true }
      (report.failedDevices, report.isDegraded) = (failed, failed > 0)
      if let operation = host.line("\(path)/exclusive_operation") {
        report.isRebuilding = operation == "device replace" || operation == "device remove"
      }
      reports.append(report)
    }
    return reports
  }

  /// Known by its number: a disk that is missing has no name.
  private static func member(_ id: String, _ path: String, _ host: Host) throws(SensorError) -> ArrayReport.Member {
    var member = ArrayReport.Member(name: id)
    if let missing = try host.file("\(path)/missing").integer() { member.hasFailed = missing != 0 }
    guard host.exists("\(path)/error_stats") else { return member }
    member.errors = try host.file("\(path)/error_stats").read { (text) throws(SensorError) in errors(&text) }
    return member
  }

  /// ```
  /// write_errs 0
  /// read_errs 0
  /// flush_errs 0
  /// corruption_errs 0
  /// generation_errs 0
  /// ```
  static func errors(_ text: inout ByteScanner) -> [(kind: String, count: UInt64)] {
    var errors: [(kind: String, count: UInt64)] = []
    while !text.isAtEnd {
      let word = text.word()
      let kind = word.hasSuffix("_errs") ? String(word.dropLast(5)) : ""
      if ["write", "read", "flush", "corruption", "generation"].contains(kind), let count = text.unsigned() {
        if !errors.contains(where: { $0.kind == kind }) { errors.append((kind, count)) }
      }
      text.skipLine()
    }
    return errors
  }
}
