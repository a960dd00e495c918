import Buffer
import Telemetry
import Uplink

extension BufferStatus {
  /// What a buffer file says of delivery: how far each payload was when the positions were last written.
  static func readUplink(_ path: String) throws(BufferError) -> UplinkReport {
    let reader = try BufferReader(path: path)
    let state = try reader.state()
    var report = UplinkReport(source: .buffer, node: state.node ?? "unknown", time: nil)
    for (name, payloads) in [("mqtt", [UplinkSettings.Payload.json, .packed]), ("sparkplug", [.sparkplug])] {
      var connection = UplinkReport.Connection(name: name)
      for payload in payloads {
        guard let position = state.deliveries[payload.sink] else { continue }
        connection.payloads.append(UplinkReport.Payload(payload, position, last: state.lastSequence ?? 0))
      }
      if !connection.payloads.isEmpty { report.connections.append(connection) }
    }
    return report
  }
}

extension UplinkReport.Payload {
  /// `last` is the newest stored tick: what lies behind the position is owed, too.
  fileprivate init(_ payload: UplinkSettings.Payload, _ position: DeliveryPosition, last: UInt64) {
    self.init(name: payload.rawValue)
    // Numbers begin at 1.
    var ranges = last > 0 ? position.undelivered(of: 1...last) : []
    // The next start joins neighbours, too.
    if ranges.count > 1, let end = ranges.last, ranges[ranges.count - 2].upperBound + 1 == end.lowerBound {
      ranges.removeLast()
      ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound...end.upperBound
    }
    owed = ranges.reduce(0) { $0 + UInt64($1.count) }
    owedRanges = UInt64(ranges.count)
    firstOwed = ranges.prefix(PayloadStatus.namedRanges).map { [$0.lowerBound, $0.upperBound] }
    if owed == 0 { catchUpSeconds = 0 }
  }
}
