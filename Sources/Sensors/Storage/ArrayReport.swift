import Telemetry

/// What arrays of all makes have in common; what one does not tell is nil.
struct ArrayReport {
  /// A disk of the array.
  struct Member {
    var name: String
    var hasFailed: Bool?
    var errors: [(kind: String, count: UInt64)] = []
  }

  var name: String
  /// `md`, `btrfs`, `zfs` or `lvm`.
  var type: String
  var works, isDegraded, isRebuilding, isChecking: Bool?
  var devices, failedDevices: Int?
  var syncPercent, syncBytesPerSecond, mismatches, usedPercent, metadataPercent: Double?
  var members: [Member] = []

  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, labels: [String] = [], help: String
  ) -> Metric {
    Metric("raid.\(name)", unit: unit, kind: kind, decimals: decimals, labels: ["array", "type"] + labels, help: help)
  }

  private static let works = metric("working", help: "1 while the array can be used, 0 when too much of it is gone.")
  private static let degraded = metric("degraded", help: "1 while disks of the array are missing or failed, else 0.")
  private static let rebuilding = metric(
    "rebuilding", help: "1 while redundancy is made anew (resync, recovery, reshape, resilver, replace), else 0.")
  private static let checking = metric("checking", help: "1 while the array is compared or scrubbed, else 0.")
  private static let devices = metric("devices", help: "Disks that the array is made of.")
  private static let failedDevices = metric("devices_failed", help: "How many of them are missing or failed.")
  private static let syncPercent = metric(
    "sync_percent", .percent, decimals: 1, help: "How much of a rebuild or check is done; missing when none runs.")
  private static let syncSpeed = metric(
    "sync_bytes_per_second", .bytesPerSecond, help: "Its speed, of each disk; missing when none runs.")
  private static let mismatches = metric(
    "mismatches",
    help: "What the last check found different: sectors of md, regions of LVM. A few are normal under swap on RAID 1.")
  private static let used = metric(
    "used_percent", .percent, decimals: 1, help: "Use of a ZFS pool, or of the data of an LVM thin pool.")
  private static let metadata = metric(
    "metadata_percent", .percent, decimals: 1, help: "Use of the metadata of an LVM thin pool.")
  private static let deviceFailed = metric(
    "device_failed", labels: ["device"], help: "1 when the disk is missing or failed, else 0.")
  private static let deviceErrors = metric(
    "device_errors", kind: .counter, labels: ["device", "error"],
    help: "Errors of a disk as its array counts them: read, write, checksum, flush, corruption, generation.")

  static let metrics = [
    works, degraded, rebuilding, checking, devices, failedDevices, syncPercent, syncSpeed, mismatches, used, metadata,
    deviceFailed,
    deviceErrors,
  ]

  /// Sets what is known.
  func set(in readings: inout Readings) {
    let labels = [Label("array", name), Label("type", type)]
    func set(_ metric: Metric, _ value: Double?) {
      if let value { readings.set(readings.slot(metric, labels), value) }
    }
    func set(_ metric: Metric, _ flag: Bool?) { set(metric, flag.map { $0 ? 1 : 0 }) }
    set(Self.works, works)
    set(Self.degraded, isDegraded)
    set(Self.rebuilding, isRebuilding)
    set(Self.checking, isChecking)
    set(Self.devices, devices.map { Double($0) })
    set(Self.failedDevices, failedDevices.map { Double($0) })
    set(Self.syncPercent, syncPercent)
    set(Self.syncSpeed, syncBytesPerSecond)
    set(Self.mismatches, mismatches)
    set(Self.used, usedPercent)
    set(Self.metadata, metadataPercent)
    for member in members {
      let device = labels + [Label("device", member.name)]
      if let hasFailed = member.hasFailed { readings.set(readings.slot(Self.deviceFailed, device), hasFailed ? 1 : 0) }
      for error in member.errors {
        readings.set(readings.slot(Self.deviceErrors, device + [Label("error", error.kind)]), Double(error.count))
      }
    }
  }
}
