import Platform
import Telemetry

/// What `smartctl --json -a` says of a disk (smartmontools 7.0 and later; smartctl(8), and its `json_format_version` 1).
///
/// Its exit status is a set of bits that speak of the disk, not of the run: the text counts.
enum SmartctlAnswer {
  /// The arguments; `-n standby` never wakes a disk that sleeps.
  static func arguments(_ device: String) -> [String] { ["--json=c", "-a", "-n", "standby", "/dev/\(device)"] }

  /// Why there is no report.
  enum Fault: Error, Equatable {
    /// Not the documented form.
    case malformed(String)
    /// The disk has no such thing as SMART, or smartctl does not know how to ask through its USB bridge.
    case unsupported
    /// It could not be opened, or did not answer.
    case refused(String)
  }

  private static let limits = JSONReader.Limits(bytes: 1 << 20, depth: 24, values: 50_000)

  /// Reads an answer.
  static func report(_ output: [UInt8]) throws(Fault) -> SmartReport {
    let answer: JSONValue
    do throws(JSONError) {
      answer = try JSONReader.read(output, limits: limits)
    } catch {
      throw .malformed("no JSON: \(error)")
    }
    guard let run = answer["smartctl"], let status = run["exit_status"]?.count else { throw .malformed("no exit status in it") }
    let messages = (run["messages"]?.elements ?? []).compactMap { $0["string"]?.text }
    var report = SmartReport()
    // Bit 1: not opened, or asleep.
    if status & 2 != 0 {
      guard messages.contains(where: { $0.hasPrefix("Device is in ") }) || isAsleep(answer["power_mode"]) else {
        throw .refused(messages.first ?? "it could not be opened")
      }
      report.isStandby = true
      return report
    }
    if status & 1 != 0 || answer["smart_support"]?["available"] == .bool(false) { throw .unsupported }
    read(answer, into: &report)
    guard report.healthy != nil || report.celsius != nil || report.powerOnSeconds != nil else { throw .unsupported }
    return report
  }

  /// Since 7.5: STANDBY 0x00 and 0x01; sleep has no number in ATA, and smartctl gives it −1.
  private static func isAsleep(_ mode: JSONValue?) -> Bool {
    guard let value = mode?["ata_value"]?.whole else { return false }
    return value <= 1
  }

  /// Nothing of a number that no disk can mean.
  private static func amount(_ value: JSONValue?) -> Double? { value?.count.map { Double($0) } }

  private static func percent(_ value: JSONValue?) -> Double? {
    amount(value).flatMap { $0 <= 255 ? $0 : nil }
  }

  private static func read(_ answer: JSONValue, into report: inout SmartReport) {
    if case .bool(let passed) = answer["smart_status"]?["passed"] { report.healthy = passed }
    if let celsius = answer["temperature"]?["current"]?.whole, celsius > -100, celsius < 300 { report.celsius = Double(celsius) }
    if let hours = answer["power_on_time"]?["hours"]?.count, hours < 10_000_000 {
      let minutes = answer["power_on_time"]?["minutes"]?.count ?? 0
      report.powerOnSeconds = Double(hours) * 3600 + Double(min(minutes, 59)) * 60
    }
    report.powerCycles = amount(answer["power_cycle_count"])
    if let table = answer["ata_smart_attributes"]?["table"]?.elements {
      ATAAttributes.read(
        table, blockBytes: amount(answer["logical_block_size"]) ?? 512, hasPlatters: (answer["rotation_rate"]?.count ?? 0) > 0,
        into: &report)
    }
    readSCSI(answer, into: &report)
    if let log = answer["nvme_smart_health_information_log"] { readNVMe(log, into: &report) }
    // Since 7.5, of all protocols.
    if let wear = percent(answer["endurance_used"]?["current_percent"]) { report.wearPercent = wear }
    if let spare = percent(answer["spare_available"]?["current_percent"]), spare <= 100 { report.sparePercent = spare }
    if let threshold = percent(answer["spare_available"]?["threshold_percent"]), threshold <= 100 {
      report.spareThresholdPercent = threshold
    }
  }

  private static func readSCSI(_ answer: JSONValue, into report: inout SmartReport) {
    if let wear = percent(answer["scsi_percentage_used_endurance_indicator"]) { report.wearPercent = wear }
    if let defects = amount(answer["scsi_grown_defect_list"]) { report.reallocated = defects }
    if let starts = amount(answer["scsi_start_stop_cycle_counter"]?["accumulated_start_stop_cycles"]) {
      report.powerCycles = starts
    }
    guard let log = answer["scsi_error_counter_log"] else { return }
    let errors = ["read", "write", "verify"].compactMap { amount(log[$0]?["total_uncorrected_errors"]) }
    if !errors.isEmpty { report.mediaErrors = errors.reduce(0, +) }
    // Texts such as `73889.776`, in units of 10⁹ bytes.
    report.readBytes = gigabytes(log["read"])
    report.writtenBytes = gigabytes(log["write"])
  }

  private static func gigabytes(_ counters: JSONValue?) -> Double? {
    guard let text = counters?["gigabytes_processed"]?.text, let value = Quantity.number(text), value >= 0, value < 1e12 else {
      return nil
    }
    return value * 1e9
  }

  /// A drive behind a USB bridge: the same log that a drive on PCIe gives as bytes.
  private static func readNVMe(_ log: JSONValue, into report: inout SmartReport) {
    if let warnings = log["critical_warning"]?.count, warnings < 256 {
      report.warnings = UInt8(warnings) & 0x3F
      report.healthy = report.healthy ?? (warnings & 0x3F == 0)
    }
    if let spare = percent(log["available_spare"]), spare <= 100 { report.sparePercent = spare }
    if let threshold = percent(log["available_spare_threshold"]), threshold <= 100 { report.spareThresholdPercent = threshold }
    report.wearPercent = percent(log["percentage_used"])
    report.readBytes = amount(log["data_units_read"]).map { $0 * 512_000 }
    report.writtenBytes = amount(log["data_units_written"]).map { $0 * 512_000 }
    report.unsafeShutdowns = amount(log["unsafe_shutdowns"])
    report.mediaErrors = amount(log["media_errors"])
  }
}
