import Platform
import Telemetry

/// The imported pools of ZFS: their state by the kernel module (`/proc/spl/kstat/zfs/<pool>/state`), their use and disks by zpool(8).
enum ZFSPools {
  private static let directory = "/proc/spl/kstat/zfs"
  static let listArguments = ["list", "-Hp", "-o", "name,capacity,health"]
  /// OpenZFS 2.3 and later.
  static let statusArguments = ["status", "-j", "--json-int"]
  private static let limits = JSONReader.Limits(bytes: 1 << 20, depth: 32, values: 50_000)

  /// The pools; a file of each says its state.
  static func all(on host: Host, into readings: inout Readings) -> [ArrayReport] {
    var reports: [ArrayReport] = []
    for name in (try? host.list(directory)) ?? [] where host.exists("\(directory)/\(name)/state") {
      readings.attempt { (_) throws(SensorError) in
        var report = ArrayReport(name: name, type: "zfs")
        let path = "\(directory)/\(name)/state"
        guard set(try host.file(path).line(), of: &report) else {
          throw .malformed(path: path, what: "no state of zpoolconcepts(7)")
        }
        reports.append(report)
      }
    }
    return reports
  }

  private static func set(_ state: String, of report: inout ArrayReport) -> Bool {
    switch state {
    case "ONLINE": (report.works, report.isDegraded) = (true, false)
    case "DEGRADED": (report.works, report.isDegraded) = (true, true)
    case "FAULTED", "UNAVAIL", "SUSPENDED", "REMOVED", "OFFLINE": (report.works, report.isDegraded) = (false, true)
    default: return false
    }
    return true
  }

  /// `tank<tab>43<tab>ONLINE`: the use of each pool.
  static func readList(_ text: inout ByteScanner, into reports: inout [ArrayReport]) {
    while !text.isAtEnd {
      let name = text.text(until: 0x09)
      if let percent = text.unsigned(), percent <= 100,
        let index = reports.firstIndex(where: { $0.type == "zfs" && $0.name == name })
      {
        reports[index].usedPercent = Double(percent)
      }
      text.skipLine()
    }
  }

  /// The disks of each pool and what runs on it.
  static func readStatus(_ output: [UInt8], into reports: inout [ArrayReport]) throws(SensorError) {
    let answer: JSONValue
    do throws(JSONError) {
      answer = try JSONReader.read(output, limits: limits)
    } catch {
      throw .malformed(path: "zpool status", what: "no JSON: \(error)")
    }
    guard let pools = answer["pools"]?.members else { throw .malformed(path: "zpool status", what: "no pools in it") }
    for pool in pools {
      guard let index = reports.firstIndex(where: { $0.type == "zfs" && $0.name == pool.key }) else { continue }
      reports[index].members = []
      for root in pool.value["vdevs"]?.members ?? [] { addDisks(of: root, to: &reports[index].members) }
      reports[index].devices = reports[index].members.count
      reports[index].failedDevices = reports[index].members.count { $0.hasFailed == true }
      readScan(pool.value["scan_stats"], into: &reports[index])
    }
  }

  /// Those without others below them; spares and caches stand elsewhere.
  private static func addDisks(of vdev: JSONValue.Member, to members: inout [ArrayReport.Member]) {
    if let below = vdev.value["vdevs"]?.members, !below.isEmpty {
      for child in below { addDisks(of: child, to: &members) }
      return
    }
    guard let state = vdev.value["state"]?.text else { return }
    var member = ArrayReport.Member(name: vdev.key, hasFailed: state != "ONLINE" && state != "DEGRADED")
    for kind in ["read", "write", "checksum"] {
      if let count = amount(vdev.value["\(kind)_errors"]) { member.errors.append((kind, UInt64(count))) }
    }
    members.append(member)
  }

  private static func readScan(_ scan: JSONValue?, into report: inout ArrayReport) {
    guard let scan else { return }
    let runs = scan["state"]?.text == "SCANNING"
    report.isRebuilding = runs && scan["function"]?.text == "RESILVER"
    report.isChecking = runs && scan["function"]?.text == "SCRUB"
    if runs, let done = amount(scan["issued"]), let all = amount(scan["to_examine"]), all > 0 {
      report.syncPercent = min(Double(done) / Double(all) * 100, 100)
    }
  }

  /// A number, or without `--json-int` its text.
  private static func amount(_ value: JSONValue?) -> Int? {
    value?.count ?? value?.text.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }
}
