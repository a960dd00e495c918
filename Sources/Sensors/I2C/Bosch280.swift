import Telemetry

/// The compensation of BMP280 and BME280 in double precision.
///
/// BMP280 data sheet BST-BMP280-DS001, section 8.1; BME280 data sheet BST-BME280-DS002, appendix A. The calibration is
/// little-endian; a measurement is big-endian:
///
/// ```
/// calibration   88  T1 u16  T2 T3 s16  P1 u16  P2 … P9 s16  (A0 reserved)  A1 = H1 u8
/// humidity      E1  H2 s16  E3 H3 u8  E4 H4[11:4]  E5 H4[3:0] low, H5[3:0] high  E6 H5[11:4]  E7 H6 s8
/// measurement   F7  pressure u20, 4 bits unused   FA  temperature u20, 4 bits unused   FD  humidity u16
/// ```
enum Bosch280 {
  /// A formula's value of its inputs, which are as long as `ChipFormula.inputs` says.
  static func value(_ formula: ChipFormula, _ inputs: [[UInt8]]) throws(ChipFault) -> Double {
    let calibration = inputs[0]
    let measurement = inputs[inputs.count - 1]
    let fine = try fineTemperature(calibration, measurement)
    switch formula {
    case .bmp280Temperature: return fine / 5120
    case .bmp280Pressure: return try pressure(calibration, measurement, fine)
    case .bme280Humidity: return try humidity(h1: Double(calibration[25]), inputs[1], measurement, fine)
    }
  }

  private static func unsigned(_ bytes: [UInt8], _ at: Int) -> Double { Double(UInt16(bytes[at + 1]) << 8 | UInt16(bytes[at])) }

  private static func signed(_ bytes: [UInt8], _ at: Int) -> Double {
    Double(Int16(bitPattern: UInt16(bytes[at + 1]) << 8 | UInt16(bytes[at])))
  }

  /// 0x80000 stands in the register while a measurement is skipped.
  private static func twenty(_ bytes: [UInt8], _ at: Int) throws(ChipFault) -> Double {
    let count = UInt32(bytes[at]) << 12 | UInt32(bytes[at + 1]) << 4 | UInt32(bytes[at + 2]) >> 4
    guard count != 0x80000 else { throw .noReading }
    return Double(count)
  }

  private static func fineTemperature(_ calibration: [UInt8], _ measurement: [UInt8]) throws(ChipFault) -> Double {
    let raw = try twenty(measurement, 3)
    let first = unsigned(calibration, 0)
    let near = (raw / 16384 - first / 1024) * signed(calibration, 2)
    let square = raw / 131_072 - first / 8192
    return near + square * square * signed(calibration, 4)
  }

  private static func pressure(_ calibration: [UInt8], _ measurement: [UInt8], _ fine: Double) throws(ChipFault) -> Double {
    func p(_ number: Int) -> Double { signed(calibration, 4 + 2 * number) }
    var a = fine / 2 - 64000
    var b = a * a * p(6) / 32768 + a * p(5) * 2
    b = b / 4 + p(4) * 65536
    a = (p(3) * a * a / 524_288 + p(2) * a) / 524_288
    a = (1 + a / 32768) * unsigned(calibration, 6)
    // A calibration of zeros would divide by 0.
    guard a != 0 else { throw .noReading }
    let raw = try twenty(measurement, 0)
    let pascals = (1_048_576 - raw - b / 4096) * 6250 / a
    return pascals + (p(9) * pascals * pascals / 2_147_483_648 + pascals * p(8) / 32768 + p(7)) / 16
  }

  private static func humidity(h1: Double, _ more: [UInt8], _ measurement: [UInt8], _ fine: Double) throws(ChipFault) -> Double {
    let count = UInt16(measurement[6]) << 8 | UInt16(measurement[7])
    // As long as it is skipped.
    guard count != 0x8000 else { throw .noReading }
    // Both are of 12 bits in two's complement; the upper byte has the sign.
    let h4 = Double(Int(Int8(bitPattern: more[3])) << 4 | Int(more[4] & 15))
    let h5 = Double(Int(Int8(bitPattern: more[5])) << 4 | Int(more[4] >> 4))
    let h6 = Double(Int8(bitPattern: more[6]))
    let h = fine - 76800
    let scaled = Double(count) - (h4 * 64 + h5 / 16384 * h)
    let bent = 1 + h6 / 67_108_864 * h * (1 + Double(more[2]) / 67_108_864 * h)
    let percent = scaled * (signed(more, 0) / 65536 * bent)
    return min(max(percent * (1 - h1 * percent / 524_288), 0), 100)
  }
}
