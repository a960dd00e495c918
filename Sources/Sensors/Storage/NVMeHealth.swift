import Telemetry

/// The SMART / Health Information log of an NVMe drive (NVM Express Base Specification 2.0, 5.16.1.3, figure 207), little-endian:
///
/// ```
/// byte    0       critical warnings, a bit each: spare below its threshold, temperature, reliability, read-only, volatile memory
///                 backup failed, persistent memory read-only or unreliable
///         1…2     composite temperature, K; 0 is none
///         3       available spare, %
///         4       its threshold, %
///         5       percentage used; 255 is that or more
///        32…47    data units read: thousands of 512 bytes, rounded up
///        48…63    data units written
///       112…127   power cycles
///       128…143   power-on hours
///       144…159   unsafe shutdowns
///       160…175   media and data integrity errors
/// ```
enum NVMeHealth {
  static let bytes = 512
  private static let unitBytes = 512_000.0

  /// What a log says; nil when it is too short.
  static func report(_ log: [UInt8]) -> SmartReport? {
    guard log.count >= bytes else { return nil }
    var report = SmartReport()
    let warnings = log[0] & 0x3F
    report.warnings = warnings
    report.healthy = warnings == 0
    let kelvin = Double(log[1]) + 256 * Double(log[2])
    if kelvin > 0 { report.celsius = kelvin - 273 }
    // A share of 100: more is nonsense.
    if log[3] <= 100 { report.sparePercent = Double(log[3]) }
    if log[4] <= 100 { report.spareThresholdPercent = Double(log[4]) }
    report.wearPercent = Double(log[5])
    report.readBytes = number(log, 32) * unitBytes
    report.writtenBytes = number(log, 48) * unitBytes
    report.powerCycles = number(log, 112)
    report.powerOnSeconds = number(log, 128) * 3600
    report.unsafeShutdowns = number(log, 144)
    report.mediaErrors = number(log, 160)
    return report
  }

  /// 16 bytes; past 2⁵³ it is rounded, which no drive lives to see.
  private static func number(_ log: [UInt8], _ offset: Int) -> Double {
    var value = 0.0
    for index in (offset..<offset + 16).reversed() { value = value * 256 + Double(log[index]) }
    return value
  }
}
