import Telemetry

/// What drives say of their health, in the terms that NVMe, ATA and SCSI have in common.
enum SmartMetrics {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, labels: [String] = [], help: String
  ) -> Metric {
    Metric("smart.\(name)", unit: unit, kind: kind, labels: ["device"] + labels, help: help)
  }

  static let healthy = metric(
    "healthy", help: "1 while the drive's own verdict is good, 0 when it expects to fail or already does.")
  static let failingSoon = metric(
    "failing_soon",
    help:
      "A rule of thumb, no measurement: 1 when the drive calls itself failing, 90 % of its wear are used up, its spare is within 10 points of"
      + " its threshold, sectors are pending or uncorrectable, 10 or more were reallocated, or reallocated sectors or media errors grew since the"
      + " agent watches; else 0.")
  static let standby = metric(
    "standby", help: "1 while the disk sleeps: it is not woken, and what it said last holds, but for its temperature; else 0.")
  static let criticalWarning = metric(
    "critical_warning", labels: ["reason"],
    help:
      "Of NVMe drives: 1 while this warning is set, else 0. The reasons are spare, temperature, reliability, read_only, backup,"
      + " persistent_memory.")
  static let temperature = metric("temperature_celsius", .celsius, help: "Temperature of the drive.")
  static let wear = metric(
    "wear_percent", .percent, help: "Share of the rated life that is used up, by the maker's estimate; more than 100 is past it.")
  static let spare = metric("spare_percent", .percent, help: "Spare blocks that are left.")
  static let spareThreshold = metric("spare_threshold_percent", .percent, help: "Below this the drive warns of its spare.")
  static let mediaErrors = metric(
    "media_errors", kind: .counter, help: "Errors of the medium that could not be corrected, over the drive's life.")
  static let reallocated = metric(
    "reallocated_sectors", help: "Sectors replaced by spare ones; of SCSI disks the grown defect list.")
  static let pending = metric("pending_sectors", help: "Sectors that could not be read and wait to be replaced.")
  static let uncorrectable = metric("uncorrectable_sectors", help: "Sectors that the disk's own scan could not read.")
  static let linkErrors = metric(
    "link_errors", kind: .counter, help: "Transfers between disk and host that failed their checksum: cables.")
  static let powerOn = metric(
    "power_on_seconds", .seconds, kind: .counter, help: "How long the drive was switched on, in its whole life.")
  static let powerCycles = metric("power_cycles", kind: .counter, help: "How often it was switched on.")
  static let unsafeShutdowns = metric("unsafe_shutdowns", kind: .counter, help: "How often it lost its power without notice.")
  static let written = metric("written_bytes", .bytes, kind: .counter, help: "Bytes that the host wrote, in its whole life.")
  static let read = metric("read_bytes", .bytes, kind: .counter, help: "Bytes that the host read.")

  static let all = [
    healthy, failingSoon, standby, criticalWarning, temperature, wear, spare, spareThreshold, mediaErrors, reallocated, pending,
    uncorrectable, linkErrors, powerOn, powerCycles, unsafeShutdowns, written, read,
  ]
}

/// What one drive said at one time; what it did not say is nil.
struct SmartReport: Equatable {
  var isStandby = false
  var healthy: Bool?
  /// Set of NVMe's critical warnings; nil for other drives.
  var warnings: UInt8?
  var celsius, wearPercent, sparePercent, spareThresholdPercent: Double?
  var mediaErrors, reallocated, pending, uncorrectable, linkErrors: Double?
  var powerOnSeconds, powerCycles, unsafeShutdowns, writtenBytes, readBytes: Double?

  /// The warnings of NVMe by their bit (NVM Express Base Specification 2.0, figure 207).
  static let reasons = ["spare", "temperature", "reliability", "read_only", "backup", "persistent_memory"]

  /// The rule of thumb of `smart.failing_soon`, given what the drive said first.
  func isFailingSoon(since first: SmartReport) -> Bool {
    func grew(_ now: Double?, _ before: Double?) -> Bool {
      if let now, let before { return now > before }
      return false
    }
    if healthy == false || (wearPercent ?? 0) >= 90 { return true }
    // Drives that do not watch their spare say 0 for both.
    if let left = sparePercent, let least = spareThresholdPercent, least > 0, left <= least + 10 { return true }
    if (pending ?? 0) > 0 || (uncorrectable ?? 0) > 0 || (reallocated ?? 0) >= 10 { return true }
    return grew(reallocated, first.reallocated) || grew(mediaErrors, first.mediaErrors)
  }

  /// The same once the drive sleeps: nothing of it changes then, but it cools.
  var asleep: SmartReport {
    var report = self
    report.isStandby = true
    report.celsius = nil
    return report
  }

  /// Sets what is known.
  func set(_ device: String, since first: SmartReport, in readings: inout Readings) {
    let label = Label("device", device)
    func set(_ metric: Metric, _ value: Double?) {
      if let value { readings.set(readings.slot(metric, [label]), value) }
    }
    set(SmartMetrics.healthy, healthy.map { $0 ? 1 : 0 })
    if healthy != nil { set(SmartMetrics.failingSoon, isFailingSoon(since: first) ? 1 : 0) }
    if let warnings {
      for (bit, reason) in Self.reasons.enumerated() {
        let slot = readings.slot(SmartMetrics.criticalWarning, [label, Label("reason", reason)])
        readings.set(slot, warnings & 1 << bit != 0 ? 1 : 0)
      }
    }
    if warnings == nil || isStandby { set(SmartMetrics.standby, isStandby ? 1 : 0) }
    set(SmartMetrics.temperature, celsius)
    set(SmartMetrics.wear, wearPercent)
    set(SmartMetrics.spare, sparePercent)
    set(SmartMetrics.spareThreshold, spareThresholdPercent)
    set(SmartMetrics.mediaErrors, mediaErrors)
    set(SmartMetrics.reallocated, reallocated)
    set(SmartMetrics.pending, pending)
    set(SmartMetrics.uncorrectable, uncorrectable)
    set(SmartMetrics.linkErrors, linkErrors)
    set(SmartMetrics.powerOn, powerOnSeconds)
    set(SmartMetrics.powerCycles, powerCycles)
    set(SmartMetrics.unsafeShutdowns, unsafeShutdowns)
    set(SmartMetrics.written, writtenBytes)
    set(SmartMetrics.read, readBytes)
  }
}
