import Platform
public import Telemetry

/// Arrays of disks: md and btrfs by the kernel, ZFS by the kernel and zpool, thin pools and RAID of LVM by lvs.
///
/// In the slow lane because programs are run, and because a file of an array may wait while it changes.
public struct RaidSensor: Sensor {
  /// How long one program may take, and all of a sample: with the time that it takes to give one up, less than the lane's deadline.
  private static let programMilliseconds = 1_500
  private static let sampleMilliseconds: Int64 = 3_000

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "raid", summary: "Arrays of md, btrfs, ZFS and LVM: degraded, rebuilding, failed disks, errors, use of pools.",
    sources: [
      "/sys/block/md*/md/ (Documentation/admin-guide/md.rst)",
      "/sys/fs/btrfs/*/devinfo/*/{error_stats,missing} (fs/btrfs/sysfs.c)",
      "/proc/spl/kstat/zfs/*/state, zpool list -Hp, zpool status -j (OpenZFS 2.3)", "lvs --reportformat json (lvmreport(7))",
    ],
    lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec("exclude", .patterns, default: "", help: "Arrays left out, by the label `array`."),
      SettingSpec(
        "programs_every", .duration(0...86_400_000), default: "5m",
        help: "How often zpool and lvs are run, where there are pools or volumes for them; their answers are repeated in between."
      ),
    ],
    metrics: ArrayReport.metrics,
    bounds: {
      [
        .label("type", of: ArrayReport.metrics, is: ["md", "btrfs", "zfs", "lvm"]),
        .filtered("array", of: ArrayReport.metrics, by: $0, exclude: "exclude"),
      ]
    })

  private let host: Host
  private let excluded: [Glob]
  private let programNanoseconds: Int64
  private var ranAt: Int64?
  /// What the programs said last.
  private var pools: [ArrayReport] = []
  private var volumes: [ArrayReport] = []
  private var problems: [SensorError] = []

  /// Looks for arrays.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    excluded = settings.list("exclude").map { Glob($0) }
    programNanoseconds = Int64(settings.milliseconds("programs_every")) * 1_000_000
  }

  /// Reads all arrays; each that fails costs only itself.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    var reports = MDArrays.all(on: host, into: &readings) + BtrfsVolumes.all(on: host, into: &readings)
    var pools = ZFSPools.all(on: host, into: &readings)
    let hasVolumes = LVMVolumes.areThere(on: host)
    if ranAt.map({ readings.nanoseconds - $0 >= programNanoseconds }) ?? true {
      ranAt = readings.nanoseconds
      problems = []
      let end = SystemClock.bootMilliseconds + Self.sampleMilliseconds
      self.pools = pools.isEmpty ? [] : asked(pools, until: end)
      volumes = hasVolumes ? askedVolumes(until: end) : []
    }
    // The state is the kernel's, newer than what zpool said.
    for index in pools.indices {
      guard var known = self.pools.first(where: { $0.name == pools[index].name }) else { continue }
      (known.works, known.isDegraded) = (pools[index].works, pools[index].isDegraded)
      pools[index] = known
    }
    reports += pools + (hasVolumes ? volumes : [])
    for problem in problems { readings.note(problem) }
    for report in reports where !Glob.any(excluded, match: report.name) { report.set(in: &readings) }
    guard readings.values.contains(where: { !$0.isMissing }) else {
      throw readings.problem ?? .absent("/sys/block/md*, /sys/fs/btrfs, ZFS, LVM")
    }
  }

  /// Runs a program; one that is not there is no problem. Nil when it failed.
  private mutating func run(_ name: String, _ arguments: [String], until end: Int64) -> ProgramAnswer? {
    do throws(SensorError) {
      let left = min(end - SystemClock.bootMilliseconds, Int64(Self.programMilliseconds))
      guard left > 0 else { throw .device(name, what: "not run: the programs before it took \(Self.sampleMilliseconds) ms") }
      return try host.program(name, arguments, timeoutMilliseconds: Int(left))
    } catch {
      if case .absent = error { return nil }
      problems.append(error)
      return nil
    }
  }

  private mutating func asked(_ pools: [ArrayReport], until end: Int64) -> [ArrayReport] {
    var pools = pools
    // A pool that is suspended holds up whoever asks of it: once is enough.
    guard let list = run("zpool", ZFSPools.listArguments, until: end) else { return pools }
    if list.status == 0 { ByteScanner.scan(bytes: list.output) { ZFSPools.readList(&$0, into: &pools) } }
    // Before OpenZFS 2.3 it knows no JSON and ends with status 2.
    guard let status = run("zpool", ZFSPools.statusArguments, until: end), status.status == 0 else { return pools }
    do throws(SensorError) { try ZFSPools.readStatus(status.output, into: &pools) } catch { problems.append(error) }
    return pools
  }

  private mutating func askedVolumes(until end: Int64) -> [ArrayReport] {
    guard let answer = run("lvs", LVMVolumes.arguments, until: end) else { return [] }
    guard answer.status == 0 else {
      let what = answer.complaint.isEmpty ? "status \(answer.status)" : answer.complaint
      problems.append(.device("lvs", what: "\(what) (it needs root: docs/storage.md)"))
      return []
    }
    do throws(SensorError) { return try LVMVolumes.reports(answer.output) } catch { problems.append(error) }
    return []
  }
}
