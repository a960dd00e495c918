import Platform
public import Telemetry

/// Space and inodes of each mounted file system, traffic and load of each block device.
///
/// In the slow lane because statvfs(3) can block.
public struct DiskSensor: Sensor {
  private static func metric(_ name: String, _ unit: Unit, decimals: Int = 0, help: String) -> Metric {
    Metric("disk.\(name)", unit: unit, decimals: decimals, labels: ["mount"], help: help)
  }

  private static let total = metric("total_bytes", .bytes, help: "Size of the file system.")
  private static let used = metric("used_bytes", .bytes, help: "Bytes in use.")
  private static let free = metric("free_bytes", .bytes, help: "Bytes not in use, root's reserve included.")
  private static let available = metric("available_bytes", .bytes, help: "Bytes that an ordinary user can still write.")
  private static let usage = metric(
    "usage_percent", .percent, decimals: 1, help: "Used as a share of used and available together, as df computes it.")
  private static let inodesTotal = metric(
    "inodes_total", .none, help: "Inodes of the file system; missing where it has no table of them.")
  private static let inodesUsed = metric("inodes_used", .none, help: "Inodes in use.")
  private static let inodesUsage = metric("inodes_usage_percent", .percent, decimals: 1, help: "Share of the inodes in use.")
  private static let readOnly = metric(
    "read_only", .none,
    help: "1 when the file system itself is read-only, as after an error; a single read-only mount of it is 0.")

  private static let mountMetrics = [total, used, free, available, usage, inodesTotal, inodesUsed, inodesUsage, readOnly]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "disk", summary: "Space and inodes of each mounted file system; traffic, latency and load of each block device.",
    sources: [
      "/proc/self/mountinfo (proc_pid_mountinfo(5))", "statvfs(3)", "/proc/diskstats (Documentation/admin-guide/iostats.rst)",
      "/sys/block (Documentation/ABI/stable/sysfs-block)",
    ],
    lane: .slow,
    settings: [
      SettingSpec(
        "include_mounts", .patterns, default: "",
        help: "When given, these mount points are reported, whatever exclude_mounts says, and no others."),
      SettingSpec(
        "exclude_mounts", .patterns,
        default: MountTable.leftOut,
        help:
          "Mount points left out. Pseudo file systems, tmpfs and images that are always full (squashfs …) are left out by type."),
      SettingSpec(
        "network_filesystems", .bool, default: "false",
        help: "Whether file systems over a network or in user space (NFS, SMB, FUSE …) are reported: asking them can block."),
      SettingSpec(
        "usage_every", .duration(0...86_400_000), default: "10s",
        help: "How often file systems are asked for space and inodes; the answers are repeated in between."),
      SettingSpec(
        "include_devices", .patterns, default: "",
        help: "When given, these devices are reported, whatever exclude_devices says, and no others."),
      SettingSpec(
        "exclude_devices", .patterns, default: "loop*,ram*,zram*,fd*,sr*,mmcblk?boot*", help: "Devices left out."),
      SettingSpec("partitions", .bool, default: "false", help: "Whether partitions are reported besides whole devices."),
    ],
    metrics: mountMetrics + BlockDevice.metrics,
    bounds: { settings in
      [
        .filtered("mount", of: mountMetrics, by: settings, include: "include_mounts", exclude: "exclude_mounts"),
        .filtered("device", of: BlockDevice.metrics, by: settings, include: "include_devices", exclude: "exclude_devices"),
      ]
    })

  private let host: Host
  private let mountFilter, deviceFilter: NameFilter
  private let withNetwork, withPartitions: Bool
  private let mountinfo, diskstats: HostFile
  private let usageNanoseconds: Int64
  private var mounts: [(mount: Mount, slots: [Slot])] = []
  private var usages: [FileSystemUsage?] = []
  /// Why some of them are missing: as long as they are, not in the sample alone that asked.
  private var problems: [SensorError] = []
  private var askedAt: Int64?
  private var mountsHash: UInt64?
  private var devices = InstanceTable<BlockDevice>()

  /// Finds one of the two files; mounts and devices are found as they are listed.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    mountFilter = NameFilter(include: settings.list("include_mounts"), exclude: settings.list("exclude_mounts"))
    deviceFilter = NameFilter(include: settings.list("include_devices"), exclude: settings.list("exclude_devices"))
    withNetwork = settings.bool("network_filesystems")
    withPartitions = settings.bool("partitions")
    usageNanoseconds = Int64(settings.milliseconds("usage_every")) * 1_000_000
    mountinfo = host.file("/proc/self/mountinfo", limit: 4 << 20)
    diskstats = host.file("/proc/diskstats", limit: 1 << 20)
    guard host.exists(mountinfo.path) || host.exists(diskstats.path) else { throw .absent(mountinfo.path) }
  }

  /// Reads the devices, then asks each file system when that is due. The devices go first: their rates count from the sample's
  /// beginning.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let diskstats = diskstats
    readings.attempt { (readings) throws(SensorError) in
      try diskstats.read { (text) throws(SensorError) in parseDevices(&text, into: &readings) }
    }
    if askedAt.map({ readings.nanoseconds - $0 >= usageNanoseconds }) ?? true { askFileSystems(&readings) }
    for problem in problems { readings.note(problem) }
    for (index, usage) in usages.enumerated() {
      if let usage { Self.report(usage, of: mounts[index].mount, mounts[index].slots, into: &readings) }
    }
  }

  private mutating func askFileSystems(_ readings: inout Readings) {
    askedAt = readings.nanoseconds
    let mountinfo = mountinfo
    var failures: [SensorError] = []
    do {
      try mountinfo.read { (text) throws(SensorError) in try findMounts(&text, into: &readings) }
    } catch {
      (mounts, mountsHash) = ([], nil)
      failures.append(error)
    }
    usages = mounts.map { mount, _ in
      do throws(SensorError) {
        return try host.calls.fileSystemUsage(mount.path)
      } catch {
        failures.append(error)
        return nil
      }
    }
    problems = failures.filter { failure in
      // Another mount covers its parent, or there is no list of mounts.
      if case .absent = failure { return false }
      return true
    }
  }

  /// The mounts change rarely: they are parsed anew only when the text is another one.
  private mutating func findMounts(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    let hash = text.restHash()
    guard hash != mountsHash else { return }
    let found = try MountTable.parse(&text, path: mountinfo.path)
    mounts = MountTable.selected(found, filter: mountFilter, withNetwork: withNetwork).map { mount in
      (mount, Self.mountMetrics.map { readings.slot($0, [Label("mount", mount.path)]) })
    }
    mountsHash = hash
  }

  private static func report(_ usage: FileSystemUsage, of mount: Mount, _ slots: [Slot], into readings: inout Readings) {
    // df leaves out what has no size; such are pseudo file systems that the list does not know yet.
    guard usage.totalBytes > 0 else { return }
    let used = usage.totalBytes - min(usage.freeBytes, usage.totalBytes)
    readings.set(slots[0], Double(usage.totalBytes))
    readings.set(slots[1], Double(used))
    readings.set(slots[2], Double(usage.freeBytes))
    readings.set(slots[3], Double(usage.availableBytes))
    let reachable = Double(used) + Double(usage.availableBytes)
    if reachable > 0 { readings.set(slots[4], Double(used) / reachable * 100) }
    if usage.totalInodes > 0 {
      let inodes = usage.totalInodes - min(usage.freeInodes, usage.totalInodes)
      readings.set(slots[5], Double(usage.totalInodes))
      readings.set(slots[6], Double(inodes))
      readings.set(slots[7], Double(inodes) / Double(usage.totalInodes) * 100)
    }
    readings.set(slots[8], mount.readOnly ? 1 : 0)
  }

  /// Lines of major number, minor number, name and at least eleven counters.
  private mutating func parseDevices(_ text: inout ByteScanner, into readings: inout Readings) {
    devices.begin()
    while !text.isAtEnd {
      if text.unsigned() != nil, text.unsigned() != nil {
        text.skipBlanks()
        let hash = text.keyHash()
        var line = text
        _ = text.skip { $0 == 0x20 || $0 == 0x0A }
        sampleDevice(hash, BlockDevice.Counters(&text), name: &line, into: &readings)
      } else if !text.isAtLineEnd {
        readings.note(.malformed(path: diskstats.path, what: "a line begins with two device numbers"))
      }
      text.skipLine()
    }
    devices.forgetUnseen()
  }

  private mutating func sampleDevice(
    _ hash: UInt64, _ counters: BlockDevice.Counters?, name: inout ByteScanner, into readings: inout Readings
  ) {
    guard let counters else {
      readings.note(.malformed(path: diskstats.path, what: "a device needs eleven counters"))
      return
    }
    if devices.see(hash, { $0.sample(counters, into: &readings) }) { return }
    let name = name.word()
    devices.add(hash, reports(name) ? BlockDevice(name, readings: &readings) : nil)
    _ = devices.see(hash) { $0.sample(counters, into: &readings) }
  }

  /// Whole devices have a directory of their own in /sys/block, where a slash in the name is an exclamation mark.
  private func reports(_ name: String) -> Bool {
    guard deviceFilter.admits(name) else { return false }
    let directory = String(name.map { $0 == "/" ? "!" : $0 })
    return withPartitions || host.exists("/sys/block/\(directory)")
  }
}
