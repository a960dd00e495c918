import Platform
import Telemetry

/// One interface's counters in `/proc/net/dev` and its state in `/sys/class/net/<name>/`
/// (Documentation/ABI/testing/sysfs-class-net).
struct NetworkInterface {
  /// What `/proc/net/dev` counts, received first: bytes, packets, errors, drops.
  static let rates: [Metric] = [
    rate("receive_bytes", .bytesPerSecond, decimals: 0, help: "Bytes received."),
    rate("receive_packets", .perSecond, decimals: 1, help: "Packets received."),
    rate("receive_errors", .perSecond, decimals: 2, help: "Bad packets received."),
    rate("receive_drops", .perSecond, decimals: 2, help: "Packets received and dropped for want of room."),
    rate("transmit_bytes", .bytesPerSecond, decimals: 0, help: "Bytes sent."),
    rate("transmit_packets", .perSecond, decimals: 1, help: "Packets sent."),
    rate("transmit_errors", .perSecond, decimals: 2, help: "Packets that could not be sent."),
    rate("transmit_drops", .perSecond, decimals: 2, help: "Packets dropped before they were sent."),
  ]
  static let up = Metric(
    "network.up", unit: .none, labels: ["interface"],
    help: "1 when operstate is up, or is unknown (as of loopback and tunnels) with a carrier; else 0.")
  static let speed = Metric(
    "network.speed_bits_per_second", unit: .bitsPerSecond, labels: ["interface"],
    help: "Negotiated speed; missing when the link is down or has none. Looked up when the link changed, and once a minute.")
  static let metrics = rates + [up, speed, carrierChanges]
  static let carrierChanges = Metric(
    "network.carrier_changes", unit: .none, kind: .counter, labels: ["interface"], help: "Times the link went up or down.")

  private static func rate(_ quantity: String, _ unit: Unit, decimals: Int, help: String) -> Metric {
    Metric("network.\(quantity)_per_second", unit: unit, decimals: decimals, labels: ["interface"], help: help)
  }

  /// Drivers ask the hardware for the speed, under the lock of the whole network stack: not at every tick.
  private static let speedNanoseconds: Int64 = 60_000_000_000

  private struct Link: Equatable {
    var up: Bool
    var changes: Int64?
  }

  private let operstate, carrier, changes, speed: HostFile?
  private let slots: [Slot]
  private let upSlot, speedSlot, changesSlot: Slot
  // 64 bits on the way to us, but `unsigned long` in drivers that keep them in struct net_device_stats.
  private var rates = [Rate](repeating: Rate(.word), count: NetworkInterface.rates.count)
  private var link = Link(up: false, changes: nil)
  private var bitsPerSecond: Double?
  private var speedReadAt = Int64.min

  /// Finds the interface's attributes; in a container there may be none.
  init(_ name: String, host: Host, readings: inout Readings) {
    func file(_ attribute: String) -> HostFile? {
      let path = "/sys/class/net/\(name)/\(attribute)"
      return host.exists(path) ? host.file(path, limit: 64) : nil
    }
    operstate = file("operstate")
    carrier = file("carrier")
    changes = file("carrier_changes")
    speed = file("speed")
    let label = [Label("interface", name)]
    slots = Self.rates.map { readings.slot($0, label) }
    upSlot = readings.slot(Self.up, label)
    speedSlot = readings.slot(Self.speed, label)
    changesSlot = readings.slot(Self.carrierChanges, label)
  }

  /// Takes the eight counters, in the order of `rates`, and reads the state.
  mutating func sample(_ counters: SIMD8<UInt64>, into readings: inout Readings) {
    for index in slots.indices {
      readings.set(slots[index], rates[index].perSecond(counters[index], at: readings.nanoseconds))
    }
    guard let isUp else { return }
    readings.set(upSlot, isUp ? 1 : 0)
    let now = Link(up: isUp, changes: Self.number(changes))
    readings.set(changesSlot, now.changes.map { Double($0) })
    let due = speedReadAt == .min || readings.nanoseconds - speedReadAt >= Self.speedNanoseconds
    if due || now != link {
      link = now
      speedReadAt = readings.nanoseconds
      // Mbit/s; −1 or EINVAL where nothing is negotiated.
      bitsPerSecond = Self.number(speed).flatMap { isUp && $0 > 0 ? Double($0) * 1e6 : nil }
    }
    readings.set(speedSlot, bitsPerSecond)
  }

  /// RFC 2863's state; nil when the file tells none.
  private var isUp: Bool? {
    let word = try? operstate?.read { (text) throws(SensorError) in text.isAtLineEnd ? nil : text.keyHash() }
    guard let word else { return nil }
    if word == Self.upWord { return true }
    // Reading the carrier of an interface that is administratively down answers EINVAL.
    return word == Self.unknownWord && Self.number(carrier) == 1
  }

  private static let upWord = keyHash("up")
  private static let unknownWord = keyHash("unknown")

  private static func number(_ file: HostFile?) -> Int64? {
    guard let file, let number = try? file.integer() else { return nil }
    return number
  }
}
