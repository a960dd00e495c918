import Platform
import Telemetry

/// `/proc/net/wireless`, of drivers with the older wireless extensions (net/wireless/wext-proc.c). After two heading lines:
///
/// ```
/// face | status  link level noise  nwid crypt frag retry misc  beacons missed
///  wlan0: 0000   60.  -50.  -256      0     0    0     0 1525        0
/// ```
///
/// A dot behind a number tells that it was renewed since the last look.
enum WirelessTable {
  struct Line: Equatable {
    let interface: String
    let quality: Double
    let signal, noise: Double?
    let missedBeacons: UInt64
  }

  /// The interfaces, at most as many as nl80211 may have.
  static func parse(_ text: inout ByteScanner, path: String) throws(SensorError) -> [Line] {
    text.skipLine()
    text.skipLine()
    var lines: [Line] = []
    while !text.isAtEnd, lines.count < NL80211.interfaces {
      text.skipBlanks()
      if text.isAtLineEnd {
        text.skipLine()
        continue
      }
      let name = text.text(until: 0x3A)
      guard text.skip(byte: 0x3A) else { throw malformed(path) }
      text.skipBlanks()
      guard text.hexadecimal() != nil, let quality = level(&text), let signal = level(&text), let noise = level(&text) else {
        throw malformed(path)
      }
      var counters: [UInt64] = []
      while counters.count < 6, let counter = text.unsigned() { counters.append(counter) }
      guard counters.count == 6 else { throw malformed(path) }
      lines.append(
        Line(
          interface: name, quality: quality, signal: decibels(signal), noise: decibels(noise), missedBeacons: counters[5]))
      text.skipLine()
    }
    return lines
  }

  private static func level(_ text: inout ByteScanner) -> Double? {
    guard let value = text.signed() else { return nil }
    _ = text.skip(byte: 0x2E)
    return Double(value)
  }

  /// −256 is unknown; 0 and above are relative values of old drivers.
  private static func decibels(_ value: Double) -> Double? { value < 0 && value > -256 ? value : nil }

  private static func malformed(_ path: String) -> SensorError {
    .malformed(path: path, what: "a line needs a name, a status, three levels and six counts")
  }
}
