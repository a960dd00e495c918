import Telemetry
import Testing

@testable import Agent
@testable import Uplink

/// Rates and the time to catch up, from counters at given moments.
@Suite struct UplinkPaceTests {
  private static let second: Int64 = 1_000_000_000

  private func status(_ state: UplinkStatus.State, since: Int64, bytes: UInt64, delivered: UInt64, owed: UInt64) -> UplinkStatus {
    var status = UplinkStatus()
    status.state = state
    status.sinceNanoseconds = since * Self.second
    status.sentBytes = bytes
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1)
    for sequence in 0..<delivered {
      ledger.send(live: sequence + 1)
      ledger.acknowledge(sequence + 1...sequence + 1, ticks: 1)
    }
    let ranges = owed > 0 ? [delivered + 1...delivered + owed] : []
    status.payloads = [PayloadStatus(.json, ledger, owed: ranges, damagedColumns: 0)]
    return status
  }

  private func report(_ status: UplinkStatus, _ pace: UplinkPace, at now: Int64) throws -> UplinkReport.Connection {
    let report = UplinkReport(node: "edge", [status], pace, now: now * Self.second, wall: 1_000_000)
    return try #require(report.connections.first)
  }

  @Test func aBacklogThatShrinksHasAnEnd() throws {
    var pace = UplinkPace()
    pace.note(now: 10 * Self.second) { [status(.connected, since: 9, bytes: 0, delivered: 0, owed: 900)] }
    let now = status(.connected, since: 9, bytes: 6_000, delivered: 330, owed: 600)
    let connection = try report(now, pace, at: 13)
    #expect(connection.windowSeconds == 3 && connection.bytesPerSecond == 2_000)
    #expect(connection.payloads[0].ticksPerSecond == 110)
    // 300 fewer in three seconds, 600 are left.
    #expect(connection.payloads[0].catchUpSeconds == 6)
    #expect(connection.payloads[0].firstOwed == [[331, 930]] && connection.payloads[0].owedRanges == 1)
    #expect(connection.since == WallTime.text(1_000_000 - 4_000))
  }

  @Test func aBacklogThatGrowsHasNone() throws {
    var pace = UplinkPace()
    pace.note(now: 10 * Self.second) { [status(.waiting, since: 9, bytes: 0, delivered: 5, owed: 100)] }
    let connection = try report(status(.waiting, since: 9, bytes: 0, delivered: 5, owed: 105), pace, at: 15)
    #expect(connection.payloads[0].catchUpSeconds == nil && connection.payloads[0].ticksPerSecond == 0)
    #expect(connection.windowSeconds == 5)
  }

  @Test func theTimeWithoutAConnectionIsNotCounted() throws {
    var pace = UplinkPace()
    for moment in Int64(0)..<20 {
      let owed = UInt64(moment) * 10
      pace.note(now: moment * Self.second) { [status(.waiting, since: 0, bytes: 0, delivered: 0, owed: owed)] }
    }
    let connected = status(.connected, since: 20, bytes: 0, delivered: 0, owed: 200)
    // Nothing is known of the new connection yet.
    #expect(try report(connected, pace, at: 20).windowSeconds == nil)
    pace.note(now: 20 * Self.second) { [connected] }
    #expect(try report(connected, pace, at: 20).windowSeconds == nil)
    let draining = status(.connected, since: 20, bytes: 10, delivered: 100, owed: 100)
    #expect(try report(draining, pace, at: 22).payloads[0].catchUpSeconds == 2)
  }

  @Test func onlyTheLastMinuteCounts() throws {
    var pace = UplinkPace()
    var asked = 0
    for tenth in Int64(0)..<2_000 {
      pace.note(now: tenth * Self.second / 10) {
        asked += 1
        return [status(.connected, since: 0, bytes: UInt64(tenth), delivered: 0, owed: 0)]
      }
    }
    // Every other second, however often there is a tick.
    #expect(asked == 100)
    let connection = try report(status(.connected, since: 0, bytes: 2_000, delivered: 0, owed: 0), pace, at: 200)
    #expect(connection.windowSeconds == 62 && connection.payloads[0].catchUpSeconds == 0)
  }
}
