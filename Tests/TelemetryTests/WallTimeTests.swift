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
}
