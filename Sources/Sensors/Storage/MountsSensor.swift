import Glibc
import Platform
public import Telemetry

/// Whether file systems are there, writable, without errors, and answer.
///
/// In the slow lane because it waits for file systems over a network, within a bound: those that hang are left to `BlockingProbe`.
public struct MountsSensor: Sensor {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, labels: [String] = ["mount"], help: String
  ) -> Metric {
    Metric("mounts.\(name)", unit: unit, kind: kind, decimals: decimals, labels: labels, help: help)
  }

  private static let present = metric("present", help: "1 while something is mounted at a required mount point, else 0.")
  private static let mounted = metric(
    "mounted", labels: [], help: "How many file systems are mounted, of those that are watched.")
  private static let appeared = metric(
    "appeared_total", kind: .counter, labels: [], help: "Mounts that came since the sensor was started.")
  private static let vanished = metric(
    "vanished_total", kind: .counter, labels: [], help: "Mounts that went since the sensor was started.")
  private static let readOnly = metric(
    "read_only", help: "1 while the file system is read-only, else 0; a single read-only mount of it is 0.")
  private static let turnedReadOnly = metric(
    "turned_read_only",
    help:
      "1 while the file system is read-only and was writable before, as the sensor saw it: often after an error of the disk; else 0."
  )
  private static let responding = metric(
    "responding", help: "1 when a file system over a network or in user space answered statvfs(3) in time, else 0.")
  private static let response = metric(
    "response_milliseconds", .milliseconds, decimals: 1, help: "How long its answer took; missing when there was none.")

  /// Of each mount that is watched.
  private static let watchedMetrics = [readOnly, turnedReadOnly, responding, response] + FileSystemErrors.metrics

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "mounts",
    summary: "Mounts that vanish or turn read-only, required mounts, errors of ext4, NFS and SMB servers that do not answer.",
    sources: [
      "/proc/self/mountinfo (proc_pid_mountinfo(5))",
      "/sys/fs/ext4/*/{errors_count,first_error_time,last_error_time} (Documentation/ABI/testing/sysfs-fs-ext4)", "statvfs(3)",
    ],
    lane: .slow, timesAnswers: true, everySeconds: 10,
    settings: [
      SettingSpec(
        "required", .texts, default: "", help: "Mount points at which something must be mounted, of any type: `/data`, `/boot`."),
      SettingSpec(
        "include", .patterns, default: "",
        help: "When given, these mount points are watched, whatever exclude says, and no others."),
      SettingSpec("exclude", .patterns, default: MountTable.leftOut, help: "Mount points left out."),
      SettingSpec(
        "probe", .bool, default: "true",
        help: "Whether file systems over a network or in user space (NFS, SMB, FUSE …) are asked; at most 16 of them."),
      SettingSpec(
        "answer_within", .duration(100...4_000), default: "2s", help: "How long such a file system has for its answer."),
    ],
    metrics: [present, mounted, appeared, vanished] + watchedMetrics,
    check: { settings in
      var faults: [SettingFault] = []
      for (index, path) in settings.list("required").enumerated() where !path.hasPrefix("/") {
        faults.append(
          SettingFault(
            "required", item: index, what: "'\(path)' in 'required' is no mount point", remedy: "begin it with '/'"))
      }
      return faults
    },
    bounds: { settings in
      var bounds: [MetricBound] = [
        .named("mount", of: [present], in: "required", settings.list("required").map(mountPoint)),
        .filtered("mount", of: watchedMetrics, by: settings, include: "include", exclude: "exclude"),
      ]
      if !settings.bool("probe") {
        bounds.append(.off([responding, response], why: "'probe' is false", remedy: "write 'probe: true'"))
      }
      return bounds
    })

  /// As mountinfo writes it.
  private static func mountPoint(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  private struct Watched {
    private(set) var mount: Mount
    let readOnlySlot, turnedSlot: Slot
    let errors: FileSystemErrors?
    /// Set once it answers, or does not.
    var probeSlots: (responding: Slot, response: Slot)?
    private var wasWritable: Bool

    init(_ mount: Mount, host: Host, readings: inout Readings) {
      self.mount = mount
      let label = [Label("mount", mount.path)]
      readOnlySlot = readings.slot(MountsSensor.readOnly, label)
      turnedSlot = readings.slot(MountsSensor.turnedReadOnly, label)
      errors = FileSystemErrors(mount, host: host, readings: &readings)
      wasWritable = !mount.readOnly
    }

    mutating func take(_ mount: Mount) {
      self.mount = mount
      if !mount.readOnly { wasWritable = true }
    }

    func sample(into readings: inout Readings) {
      readings.set(readOnlySlot, mount.readOnly ? 1 : 0)
      readings.set(turnedSlot, mount.readOnly && wasWritable ? 1 : 0)
      errors?.sample(into: &readings)
    }
  }

  private let host: Host
  private let filter: NameFilter
  private let required: [(path: String, slot: Slot)]
  private let probes: Bool
  private let answerMilliseconds: Int64
  private let clock = SystemClock()
  private let mountinfo: HostFile
  private let counts: (mounted: Slot, appeared: Slot, vanished: Slot)
  private var hash: UInt64?
  private var watched: [Watched] = []
  private var paths: Set<String> = []
  private var appearedCount = 0.0
  private var vanishedCount = 0.0

  /// Finds the table; the mounts are found as they are listed.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include"), exclude: settings.list("exclude"))
    probes = settings.bool("probe")
    answerMilliseconds = Int64(settings.milliseconds("answer_within"))
    mountinfo = host.file("/proc/self/mountinfo", limit: 4 << 20)
    guard host.exists(mountinfo.path) else { throw .absent(mountinfo.path) }
    required = settings.list("required").map { path in
      let path = Self.mountPoint(path)
      return (path, readings.slot(Self.present, [Label("mount", path)]))
    }
    counts = (readings.slot(Self.mounted), readings.slot(Self.appeared), readings.slot(Self.vanished))
  }

  /// Reads the table, then asks those that may hang.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let mountinfo = mountinfo
    try mountinfo.read { (text) throws(SensorError) in try look(&text, into: &readings) }
    for place in required { readings.set(place.slot, paths.contains(place.path) ? 1 : 0) }
    readings.set(counts.mounted, Double(watched.count))
    readings.set(counts.appeared, appearedCount)
    readings.set(counts.vanished, vanishedCount)
    for item in watched { item.sample(into: &readings) }
    if probes { probe(into: &readings) }
  }

  /// The table is parsed anew only when its text is another one.
  private mutating func look(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    let now = text.restHash()
    guard now != hash else { return }
    let all = try MountTable.parse(&text, path: mountinfo.path)
    paths = Set(all.map(\.path))
    let chosen = MountTable.selected(all, filter: filter, withNetwork: true)
    var before: [String: Watched] = [:]
    for item in watched { before[item.mount.path] = item }
    let isFirst = hash == nil
    watched = chosen.map { mount in
      // Another file system at the same place is another mount.
      guard var known = before[mount.path], known.mount.device == mount.device, known.mount.type == mount.type else {
        if !isFirst { appearedCount += 1 }
        return Watched(mount, host: host, readings: &readings)
      }
      before[mount.path] = nil
      known.take(mount)
      return known
    }
    vanishedCount += Double(before.count)
    hash = now
  }

  private mutating func probe(into readings: inout Readings) {
    var open: [(index: Int, probe: BlockingProbe)] = []
    for index in watched.indices where MountTable.isNetwork(watched[index].mount.type) {
      guard let probe = BlockingProbe.of(watched[index].mount.path, on: host) else { continue }
      let (path, calls) = (watched[index].mount.path, host.calls)
      probe.ask(clock: clock) { () throws(SensorError) in
        _ = try calls.fileSystemUsage(path)
        return nil
      }
      open.append((index, probe))
    }
    let end = SystemClock.bootMilliseconds + answerMilliseconds
    for (index, probe) in open {
      let answer = probe.answer(until: end)
      // Covered by another mount, or unmounted meanwhile.
      if case .absent = answer?.error { continue }
      let label = [Label("mount", watched[index].mount.path)]
      let slots = watched[index].probeSlots ?? (readings.slot(Self.responding, label), readings.slot(Self.response, label))
      watched[index].probeSlots = slots
      let isAnswer = answer.map { $0.error.map(Self.isRefusal) ?? true } ?? false
      readings.set(slots.responding, isAnswer ? 1 : 0)
      if isAnswer { readings.set(slots.response, answer?.milliseconds) }
    }
  }

  /// That the agent may not look is an answer too; a stale handle or an error of the server is none.
  private static func isRefusal(_ error: SensorError) -> Bool {
    switch error {
    case .io(_, EACCES), .io(_, EPERM): true
    default: false
    }
  }
}
