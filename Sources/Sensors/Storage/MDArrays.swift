import Platform
import Telemetry

/// The arrays of Linux's md driver: `/sys/block/md*/md` (Documentation/admin-guide/md.rst).
enum MDArrays {
  /// All that are made; those being taken apart (`clear`) and containers of firmware metadata, which are no arrays, are left out.
  static func all(on host: Host, into readings: inout Readings) -> [ArrayReport] {
    let names = ((try? host.list("/sys/block")) ?? []).filter { $0.hasPrefix("md") }
    var reports: [ArrayReport] = []
    for name in names {
      readings.attempt { (readings) throws(SensorError) in
        if let report = try report(name, on: host) { reports.append(report) }
      }
    }
    return reports
  }

  private static func report(_ name: String, on host: Host) throws(SensorError) -> ArrayReport? {
    let directory = "/sys/block/\(name)/md"
    let state = try host.file("\(directory)/array_state").line()
    let metadata = host.line("\(directory)/metadata_version") ?? ""
    if state == "clear" || metadata.hasPrefix("external:") && !metadata.hasPrefix("external:/") { return nil }
    var report = ArrayReport(name: name, type: "md")
    switch state {
    // A clean one is not written to just now; read-auto waits for the first write.
    case "clean", "active", "active-idle", "write-pending", "readonly", "read-auto", "suspended": report.works = true
    case "inactive", "broken": report.works = false
    default: throw .malformed(path: "\(directory)/array_state", what: "no state that md.rst has")
    }
    // `3 (2)` while it is reshaped from 2.
    report.devices = number("\(directory)/raid_disks", host).map { Int($0) }
    report.members = ((try? host.list(directory)) ?? []).filter { $0.hasPrefix("dev-") }.map { entry in
      member(String(entry.dropFirst(4)), "\(directory)/\(entry)", host)
    }
    // Levels without redundancy have no such file.
    if let missing = number("\(directory)/degraded", host), missing <= 10_000 {
      report.failedDevices = Int(missing)
      report.isDegraded = missing > 0
    }
    if let action = host.line("\(directory)/sync_action") {
      report.isRebuilding = ["resync", "recover", "reshape"].contains(action)
      report.isChecking = ["check", "repair"].contains(action)
      if report.isRebuilding == true || report.isChecking == true { readProgress(directory, host, into: &report) }
    }
    report.mismatches = number("\(directory)/mismatch_cnt", host)
    return report
  }

  private static func member(_ name: String, _ directory: String, _ host: Host) -> ArrayReport.Member {
    var member = ArrayReport.Member(name: name)
    if let state = host.line("\(directory)/state") {
      member.hasFailed = state.split(separator: ",").contains { $0 == "faulty" }
    }
    // Read errors that were corrected: the disk was not thrown out for them.
    if let errors = number("\(directory)/errors", host) { member.errors = [("read", UInt64(errors))] }
    return member
  }

  /// K a second, or `none`.
  private static func readProgress(_ directory: String, _ host: Host, into report: inout ArrayReport) {
    let share = try? host.file("\(directory)/sync_completed").read { (text) throws(SensorError) in progress(&text) }
    report.syncPercent = share ?? nil
    report.syncBytesPerSecond = number("\(directory)/sync_speed", host).map { $0 * 1024 }
  }

  /// `51200 / 65472` sectors, as a percentage; nil for `delayed` and `none`.
  static func progress(_ text: inout ByteScanner) -> Double? {
    guard let done = text.unsigned() else { return nil }
    text.skipBlanks()
    guard text.skip(byte: 0x2F), let all = text.unsigned(), all > 0 else { return nil }
    return Double(min(done, all)) / Double(all) * 100
  }

  /// A whole number from 0 on; what is none is not there, as `none` is.
  private static func number(_ path: String, _ host: Host) -> Double? {
    guard host.exists(path), let value = try? host.file(path).integer(), value >= 0, value < 1 << 53 else { return nil }
    return Double(value)
  }
}
