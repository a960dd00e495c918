import Testing

@testable import Telemetry

@Suite struct QuantityTests {
  @Test(arguments: [
    ("250ms", 250), ("10s", 10_000), ("1.5s", 1_500), ("5m", 300_000), ("1h30m", 5_400_000), ("7d", 604_800_000),
    ("2y", 63_072_000_000), ("0", 0),
  ])
  func durations(text: String, milliseconds: Int) {
    #expect(Quantity.milliseconds(text) == milliseconds)
  }

  @Test(arguments: ["", "10", "s", "10 s", "-5s", "1m1h", "5x", "1e3s", "99999999y", "1..5s"])
  func noDurations(text: String) {
    #expect(Quantity.milliseconds(text) == nil)
  }

  @Test(arguments: [("4096", 4096), ("64KiB", 65_536), ("256 MiB", 268_435_456), ("1GB", 1_000_000_000), ("1.5KiB", 1536)])
  func sizes(text: String, bytes: Int) {
    #expect(Quantity.bytes(text) == bytes)
  }

  @Test(arguments: [("75", 75.0), ("75C", 75), ("75°C", 75), ("167F", 75), ("-40F", -40)])
  func temperatures(text: String, celsius: Double) {
    #expect(Quantity.celsius(text) == celsius)
  }

  @Test func durationsAreWrittenInTheLargestWholeUnits() {
    #expect(Quantity.duration(90_000) == "1m30s")
    #expect(Quantity.duration(604_800_000) == "7d")
    #expect(Quantity.duration(0) == "0s")
  }

  @Test func fixedDecimals() {
    #expect(Quantity.fixed(3.14159, decimals: 2) == "3.14")
    #expect(Quantity.fixed(-0.04, decimals: 1) == "0.0")
    #expect(Quantity.fixed(-2.5, decimals: 0) == "-3")
    #expect(Quantity.fixed(1e300, decimals: 1) == "1e+300")
  }
}
