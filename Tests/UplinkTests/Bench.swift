import Buffer
import Foundation
import Platform
import Synchronization
import Telemetry

@testable import Uplink

/// The running clock, with a time lapse that the test sets: seconds pass at once.
final class LapseClock: Platform.Clock {
  private let system = SystemClock()
  private let ahead = Mutex<Int64>(0)
  private let wall = Mutex<(offsetMilliseconds: Int64, isSet: Bool)>((0, true))

  var boot: String { "boot-1" }
  func bootNanoseconds() -> Int64 { system.bootNanoseconds() + ahead.withLock { $0 } }
  func wallMilliseconds() -> Int64 { system.wallMilliseconds() + wall.withLock { $0.offsetMilliseconds } }
  func isSynchronized() -> Bool { wall.withLock { $0.isSet } }
  /// Puts the wall clock beside the right time.
  func setWall(aheadSeconds: Int64, isSynchronized: Bool) { wall.withLock { $0 = (aheadSeconds * 1_000, isSynchronized) } }
  func lapse(seconds: Int) { ahead.withLock { $0 += Int64(seconds) * 1_000_000_000 } }
}

/// A real uplink over a real buffer. Stopped with its last reference.
final class Bench {
  let feed: BufferFeed
  let clock = LapseClock()
  let uplink = Uplink()
  var settings = UplinkSettings()

  init(port: UInt16, stored: Int = 0, configure: (inout UplinkSettings) -> Void = { _ in }) throws {
    feed = try BufferFeed()
    if stored > 0 { try feed.ticks(stored) }
    settings.brokers[0].host = "127.0.0.1"
    settings.brokers[0].port = Int(port)
    settings.node = "edge-01"
    settings.clientID = "edge-01"
    settings.backoffMinimumMilliseconds = 20
    settings.backoffMaximumMilliseconds = 200
    configure(&settings)
  }

  deinit { uplink.stop(waitMilliseconds: 20_000) }

  func start(position: DeliveryPosition? = nil, events: UInt64 = 1) throws {
    try start(positions: position.map { ["mqtt": $0] } ?? [:], events: events)
  }

  func start(positions: [String: DeliveryPosition], events: UInt64 = 1) throws {
    let last = feed.next - 1
    let started = uplink.start(
      settings: settings, clock: clock, buffer: feed.path, positions: positions, lastCommitted: last > 0 ? last : nil,
      firstOfRun: feed.next, firstEvent: events)
    guard started, uplink.put(.series(feed.stored)) else { throw ChildProcess.Failure(description: "the uplink did not start") }
  }

  /// Takes ticks as the supervisor does: stored, handed over, then told that they are committed.
  func tick(_ count: Int = 1) throws {
    for _ in 0..<count {
      let sequence = try feed.ticks(1)
      _ = uplink.put(
        .tick(
          LiveTick(
            sequence: sequence, wallMilliseconds: 1_767_225_600_000 + Int64(sequence) * 1_000, synced: true,
            values: BufferFeed.live(sequence))))
      uplink.committed = sequence
    }
  }

  /// Wakes the uplink's thread, as the next tick would.
  func wake() { uplink.mailbox.bell.ring() }

  var status: UplinkStatus { uplink.status }
  var position: DeliveryPosition { status.positions["mqtt"] ?? DeliveryPosition() }
  var isConnected: Bool { status.state == .connected }
  /// Everything up to the last tick is with the broker.
  var isAllDelivered: Bool { status.owedTicks == 0 && position.next == feed.next }
}

extension Subscriber {
  /// The numbers of the ticks that came, live or from the backlog.
  var sequences: [UInt64] {
    messages.flatMap { message -> [UInt64] in
      if message.topic.hasSuffix("/metrics") {
        return (try? JSONDecoder().decode(BacklogMessage.Tick.self, from: Data(message.payload.utf8))).map { [$0.seq] } ?? []
      }
      if message.topic.hasSuffix("/backlog") {
        return (try? BacklogMessage.decode(Array(message.payload.utf8)).ticks.map(\.seq)) ?? []
      }
      return []
    }
  }

  /// Payloads of a topic of the node, in order.
  func payloads(_ level: String) -> [String] {
    messages.filter { $0.topic == "godwit/v1/edge-01/" + level }.map(\.payload)
  }
}
