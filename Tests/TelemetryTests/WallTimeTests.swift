import Telemetry
import Testing

@Suite struct WallTimeTests {
  /// By `date -u -d @SECONDS +%FT%TZ`.
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (1_795_214_401_042, "2026-11-20T22:40:01.042Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (Int64.max, "9999-12-31T23:59:59.999Z"), (.min, "0000-01-01T00:00:00.000Z"),
  ])
  func text(milliseconds: Int64, expected: String) {
    #expect(WallTime.text(milliseconds) == expected)
  }

  @Test(arguments: [
    ("2026-11-20", 1_795_132_800_000), ("2026-11-20T22:40", 1_795_214_400_000), ("2026-11-20 22:40:01", 1_795_214_401_000),
    ("2026-11-20T22:40:01.042Z", 1_795_214_401_042), ("2026-11-20T23:40:01.5+01:00", 1_795_214_401_500),
    ("2024-02-29", 1_709_164_800_000), ("1969-12-31T23:59:59.999Z", -1),
  ])
  func reading(text: String, milliseconds: Int64) {
    #expect(WallTime.milliseconds(text) == milliseconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-30", "2026-11-20T24:00", "2026-11-20T22:40:01.Z", "2026-11-20T22:40+1", "x", "2026-11-20T",
  ])
  func noTimes(text: String) {
    #expect(WallTime.milliseconds(text) == nil)
  }
}
