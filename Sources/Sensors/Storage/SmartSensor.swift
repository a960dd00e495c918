import Platform
public import Telemetry

/// The health that drives tell of themselves: NVMe directly by the kernel, ATA and SCSI disks by smartctl, which knows their many dialects.
///
/// In the slow lane because a drive may take its time, and a program is run. A disk that sleeps is not woken.
public struct SmartSensor: Sensor {
  /// How long all drives may take for one sample, milliseconds: with the time that it takes to give one up, less than the lane's deadline.
  private static let sampleMilliseconds: Int64 = 3_000
  private static let nvmeDirectory = "/sys/class/nvme"
  private static let blockDirectory = "/sys/block"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "smart", summary: "Health of NVMe drives and disks: verdict, wear, spare, errors, bad sectors, hours, a forecast.",
    sources: [
      "/dev/nvme*: NVME_IOCTL_ADMIN_CMD, Get Log Page 2 (NVM Express Base Specification 2.0, 5.16.1.3)",
      "smartctl --json=c -a -n standby /dev/sd* (smartctl(8) of smartmontools 7.0 or later)",
    ],
    lane: .slow, everySeconds: 600,
    settings: [
      SettingSpec(
        "include", .patterns, default: "", help: "When given, these drives are reported, whatever exclude says, and no others."),
      SettingSpec("exclude", .patterns, default: "", help: "Drives left out: `nvme0`, `sd*`."),
    ],
    metrics: SmartMetrics.all)

  private let host: Host
  private let filter: NameFilter
  /// What each drive said first.
  private var first: [String: SmartReport] = [:]
  /// What each drive said last while it was awake.
  private var last: [String: SmartReport] = [:]
  /// Disks that do not tell, or not through their bridge; they are asked again once they were away.
  private var silent: Set<String> = []
  /// The disk at which the next sample begins: one that makes all wait must not hide the others for ever.
  private var start = 0

  /// Looks for drives.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include"), exclude: settings.list("exclude"))
    guard !(controllers + disks).isEmpty else { throw .absent("\(Self.nvmeDirectory), \(Self.blockDirectory)/sd*") }
  }

  private var controllers: [String] {
    let names = (try? host.list(Self.nvmeDirectory)) ?? []
    return names.filter { $0.hasPrefix("nvme") && filter.admits($0) }
  }

  /// Those of the SCSI layer, SATA and USB among them: type 0 is a disk (SPC-4, 6.4.2).
  private var disks: [String] {
    let names = (try? host.list(Self.blockDirectory)) ?? []
    return names.filter { name in
      guard name.hasPrefix("sd"), filter.admits(name) else { return false }
      return host.line("\(Self.blockDirectory)/\(name)/device/type") == "0"
    }
  }

  /// Asks each drive; one that fails costs only its own values.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let (controllers, disks) = (controllers, disks)
    let names = Set(controllers + disks)
    silent.formIntersection(names)
    first = first.filter { names.contains($0.key) }
    last = last.filter { names.contains($0.key) }
    var absence: SensorError?
    let end = SystemClock.bootMilliseconds + Self.sampleMilliseconds
    for name in controllers {
      readings.attempt { (readings) throws(SensorError) in
        guard let report = NVMeHealth.report(try host.calls.nvmeHealthLog(name)) else {
          throw .malformed(path: "/dev/\(name)", what: "a health log of less than \(NVMeHealth.bytes) bytes")
        }
        set(report, of: name, into: &readings)
      }
    }
    do throws(SensorError) {
      try ask(disks.filter { !silent.contains($0) }, until: end, into: &readings)
    } catch {
      absence = error
    }
    guard readings.values.contains(where: { !$0.isMissing }) else {
      throw readings.problem ?? absence ?? .absent("a drive that tells its health")
    }
  }

  private mutating func ask(_ disks: [String], until end: Int64, into readings: inout Readings) throws(SensorError) {
    for step in disks.indices {
      let index = (start + step) % disks.count
      let left = end - SystemClock.bootMilliseconds
      guard left > 0 else {
        start = index
        readings.note(.device(disks[index], what: "not asked: the drives before it took \(Self.sampleMilliseconds) ms"))
        return
      }
      do throws(SensorError) {
        try ask(disks[index], milliseconds: Int(left), into: &readings)
      } catch {
        // Without the program there is nothing to say of any disk, and nothing is wrong.
        if case .absent = error { throw error }
        readings.note(error)
      }
    }
    start = 0
  }

  private mutating func ask(_ disk: String, milliseconds: Int, into readings: inout Readings) throws(SensorError) {
    let answer = try host.program("smartctl", SmartctlAnswer.arguments(disk), timeoutMilliseconds: milliseconds)
    do throws(SmartctlAnswer.Fault) {
      set(try SmartctlAnswer.report(answer.output), of: disk, into: &readings)
    } catch {
      switch error {
      case .unsupported: silent.insert(disk)
      case .malformed(let what): throw .malformed(path: "smartctl /dev/\(disk)", what: what)
      case .refused(let what):
        let remedy =
          what.hasSuffix("Permission denied") ? ": the agent needs CAP_SYS_RAWIO and the group disk (docs/storage.md)" : ""
        throw .device(disk, what: what + remedy)
      }
    }
  }

  private mutating func set(_ report: SmartReport, of name: String, into readings: inout Readings) {
    if !report.isStandby {
      if first[name] == nil { first[name] = report }
      last[name] = report
      report.set(name, since: first[name] ?? report, in: &readings)
    } else if let known = last[name] {
      known.asleep.set(name, since: first[name] ?? known, in: &readings)
    } else {
      readings.passOver()
      report.set(name, since: report, in: &readings)
    }
  }
}
