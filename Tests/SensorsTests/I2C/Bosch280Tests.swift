import Testing

@testable import Sensors

@Suite struct Bosch280Tests {
  private static func word(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }
  private static func twenty(_ value: Int) -> [UInt8] {
    [UInt8(value >> 12 & 0xFF), UInt8(value >> 4 & 0xFF), UInt8(value & 15) << 4]
  }

  /// BMP280 data sheet BST-BMP280-DS001, section 3.12: T1 … T3, P1 … P9.
  private static let words: [Int] = [27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000]
  private static let calibration: [UInt8] = words.flatMap { word($0) }
  private static let measurement = twenty(415_148) + twenty(519_888)

  @Test func theVendorsExampleGivesWhatTheVendorSays() throws {
    for chip in ["bmp280", "bme280"] {
      let values = try ShippedChips.values(
        chip,
        [
          "calibration": Self.calibration + [0, 75], "humidity_calibration": [UInt8](repeating: 0, count: 7),
          "measurement": Self.measurement + [0x80, 0],
        ])
      let celsius = try #require(values["temperature.ambient"])
      let pascals = try #require(values["pressure.ambient"])
      #expect(abs(celsius - 25.08) < 0.005)
      #expect(abs(pascals - 100_653.27) < 0.02)
      #expect(values["humidity.ambient"] == nil, "0x8000 is a skipped measurement")
    }
  }

  /// Expected values from the integer form of the BME280 data sheet, section 4.2.3, which is made independently of the double form.
  private static let humidities: [(Int, [Int], Double)] = [
    (30000, [362, 0, 315, 50, 30], 54.28515625), (25000, [362, 0, 315, 50, 30], 26.3583984375),
    (36000, [362, 0, 315, 50, 30], 87.4970703125), (20000, [362, 0, 315, 50, 30], 0), (50000, [362, 0, 315, 50, 30], 100),
    (5000, [362, 3, -20, -50, -30], 34.5654296875), (8000, [362, 3, -20, -50, -30], 50.5546875),
  ]

  @Test(arguments: humidities)
  func humidityAgreesWithTheIntegerForm(count: Int, calibration: [Int], percent: Double) throws {
    let (h2, h3, h4, h5, h6) = (calibration[0], calibration[1], calibration[2], calibration[3], calibration[4])
    let shared = UInt8(h4 & 15) | UInt8(h5 & 15) << 4
    let rest: [UInt8] = [UInt8(h3), UInt8(h4 >> 4 & 0xFF), shared, UInt8(h5 >> 4 & 0xFF), UInt8(truncatingIfNeeded: h6)]
    let more = Self.word(h2) + rest
    let values = try ShippedChips.values(
      "bme280",
      [
        "calibration": Self.calibration + [0, 75], "humidity_calibration": more,
        "measurement": Self.measurement + [UInt8(count >> 8), UInt8(count & 0xFF)],
      ])
    let humidity = try #require(values["humidity.ambient"])
    // The integer form has a resolution of 0.008 %.
    #expect(abs(humidity - percent) < 0.02)
  }

  @Test func aSkippedMeasurementIsNoReading() throws {
    let skipped: [UInt8] = [0x80, 0, 0]
    let reads = ["calibration": Self.calibration, "measurement": skipped + skipped]
    #expect(try ShippedChips.values("bmp280", reads).isEmpty)
    let noPressure = ["calibration": Self.calibration, "measurement": skipped + Self.twenty(519_888)]
    #expect(try ShippedChips.values("bmp280", noPressure).keys.sorted() == ["temperature.ambient"])
  }

  @Test func aCalibrationOfZerosDividesByNothing() throws {
    let reads = ["calibration": [UInt8](repeating: 0, count: 24), "measurement": Self.measurement]
    #expect(try ShippedChips.values("bmp280", reads)["pressure.ambient"] == nil)
  }
}
