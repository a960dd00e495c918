import Platform
import Telemetry

/// What systemd-timesyncd says on D-Bus (org.freedesktop.timesync1(5)): its server's newest answer, from which timedatectl computes too.
struct Timesync: Sendable {
  static let directory = "/run/systemd/timesync"
  static let manager = DBusObject(
    "org.freedesktop.timesync1", "/org/freedesktop/timesync1", "org.freedesktop.timesync1.Manager")

  var server = ""
  var serverStratum = 0.0
  var leap = 0.0
  /// Seconds.
  var offset, rootDelay, rootDispersion, jitter, interval: Double
  /// How much too fast the clock would run, in millionths.
  var frequency: Double

  /// Nil until a server has answered. NTPMessage is a structure of 15: leap, version, mode, stratum, precision, root delay and dispersion (µs),
  /// reference, four times (µs since 1970), spike, packets, jitter (µs).
  init?(_ properties: DBusValue) {
    guard let message = properties["NTPMessage"] else { return nil }
    var fields: [Double?] = []
    // One pass: each look-up by place would begin anew.
    for field in message.items { fields.append(field.number) }
    guard fields.count == 15, fields[13].map({ $0 > 0 }) == true, let leap = fields[0], let stratum = fields[3],
      let rootDelay = fields[5], let rootDispersion = fields[6], let jitter = fields[14]
    else { return nil }
    // Differences of exact numbers: a time of today has more digits in microseconds than matter, and fewer than a Double's.
    guard let origin = fields[8], let received = fields[9], let sent = fields[10], let arrived = fields[11] else { return nil }
    offset = ((received - origin) + (sent - arrived)) / 2e6
    let delay = (arrived - origin) - (sent - received)
    (self.leap, serverStratum) = (leap, stratum)
    self.rootDelay = (rootDelay + max(delay, 0)) / 1e6
    self.rootDispersion = rootDispersion / 1e6
    self.jitter = jitter / 1e6
    interval = (properties["PollIntervalUSec"]?.number ?? 0) / 1e6
    // The kernel's, 16 bits behind the point, which speeds up a clock that is slow.
    frequency = 0 - (properties["Frequency"]?.number ?? 0) / 65_536
    server = Self.clean(properties["ServerName"]?.text ?? "")
    if server.isEmpty, let address = properties["ServerAddress"]?.item(1) {
      let bytes = address.items.compactMap { $0.unsigned.map { UInt8(truncatingIfNeeded: $0) } }
      server = NetworkAddress(bytes: bytes).map { "\($0)" } ?? ""
    }
  }

  /// A host's name has no other letters than these.
  private static func clean(_ name: String) -> String {
    String(decoding: name.utf8.prefix(Limits.labelValueBytes).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
  }
}
