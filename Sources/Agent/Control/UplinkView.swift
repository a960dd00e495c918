import Platform
import Telemetry
import Uplink

extension UplinkReport {
  /// What the control socket answers to `uplink`. `now` and `wall` are nanoseconds of CLOCK_BOOTTIME and Unix milliseconds.
  init(node: String, _ statuses: [UplinkStatus], _ pace: UplinkPace, now: Int64, wall: Int64) {
    self.init(source: .agent, node: node, time: WallTime.text(wall))
    connections = statuses.enumerated().map { index, status in
      var connection = Connection(name: status.name)
      connection.broker = status.broker
      connection.state = status.state.rawValue
      connection.since =
        status.sinceNanoseconds > 0 ? WallTime.text(wall - (now - status.sinceNanoseconds) / 1_000_000) : nil
      connection.attempts = UInt64(status.attempts)
      connection.accepted = UInt64(status.connections)
      connection.roundTripMilliseconds = status.roundTripMilliseconds?.rounded(decimals: 3)
      connection.lastError = status.lastError
      connection.refusals = status.refusals
      connection.refusal = status.refusal
      connection.sentBytes = status.sentBytes
      let rates = pace.rates(of: index, status, now: now)
      connection.windowSeconds = rates?.windowSeconds.rounded(decimals: 1)
      connection.bytesPerSecond = rates?.bytesPerSecond.rounded(decimals: 1)
      connection.payloads = status.payloads.enumerated().map { place, payload in
        Payload(payload, ticks: rates?.ticksPerSecond[place], drain: rates?.drainPerSecond[place])
      }
      return connection
    }
  }
}

extension UplinkReport.Payload {
  fileprivate init(_ status: PayloadStatus, ticks: Double?, drain: Double?) {
    self.init(name: status.payload.rawValue)
    owed = status.owedTicks
    inFlight = status.inFlightTicks
    owedRanges = UInt64(status.owedRanges)
    firstOwed = status.firstOwed.map { [$0.lowerBound, $0.upperBound] }
    delivered = status.deliveredTicks
    lost = status.lostTicks
    damagedColumns = status.damagedColumns
    ticksPerSecond = ticks?.rounded(decimals: 2)
    // A live tick on its way is no backlog.
    if owed <= inFlight {
      catchUpSeconds = 0
    } else if let drain, drain > 0 {
      catchUpSeconds = (Double(owed) / drain).rounded(decimals: 1)
    }
  }
}
