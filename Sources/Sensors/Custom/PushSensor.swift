import Platform
import Synchronization
public import Telemetry

/// What programs push to a Unix datagram socket, as to StatsD.
public struct PushSensor: Sensor {
  /// What tells of the socket, beside what comes through it.
  static let own = [CustomMetrics.age, CustomMetrics.up, CustomMetrics.refused, CustomMetrics.dropped]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "push", summary: "Lines of StatsD that programs send to a Unix datagram socket.",
    sources: ["a Unix datagram socket (docs/custom.md)"], lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec("socket", .text, default: "/run/godwit/push.sock", help: "The socket's path; absolute."),
      SettingSpec(
        "mode", .choice(["0600", "0660", "0666"]), default: "0660", help: "Who may send: the agent's user, its group, anybody."),
      SettingSpec(
        "stale_after", .duration(1_000...366 * 86_400_000), default: "5m", help: "What was not sent for so long is missing."),
      SettingSpec(
        "accept", .choice(["stated", "any"]), default: "stated",
        help: "Whether names that `metrics` does not state are refused, or taken without a unit."),
      SettingSpec("max_series", .integer(1...400), default: "100", help: "Names with their labels; what is beyond is refused."),
      SettingSpec("metrics", .items(PushMetric.specs), default: nil, help: "The names that are taken."),
    ],
    metrics: own,
    // sun_path of unix(7) holds 108 bytes, the last of them 0.
    check: { CustomMetrics.fault(ofPath: $0.text("socket"), key: "socket", mostBytes: 107) },
    bounds: { settings in
      CustomMetrics.bounds(kind: "push", sources: PushTotals(settings).isEmpty ? [] : ["push"], in: "metrics")
    },
    stated: { settings in settings.items("metrics").flatMap { PushMetric($0).metrics } })

  private let receiver: PushReceiver
  private let slots: [Slot]
  private var receivedNanoseconds: Int64?

  /// Binds the socket and starts the thread that empties it.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    let totals = PushTotals(settings)
    guard !totals.isEmpty else { throw .absent("the profile states no metrics that are pushed") }
    let path = settings.text("socket")
    let mode = UInt32(settings.text("mode"), radix: 8) ?? 0o600
    receiver = try PushReceiver(try context.host.calls.datagrams(at: path, mode: mode), totals)
    let labels = [Label("kind", "push"), Label("source", "push")]
    slots = Self.own.map { readings.slot($0, labels) }
  }

  /// Reports what came since the sample before.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    receiver.sample { totals in
      if totals.isNew { receivedNanoseconds = readings.nanoseconds }
      totals.report(into: &readings)
      readings.set(slots[2], Double(totals.refused))
      readings.set(slots[3], Double(totals.dropped))
    }
    readings.set(slots[1], 1)
    if let receivedNanoseconds { readings.set(slots[0], Double(readings.nanoseconds - receivedNanoseconds) / 1e9) }
  }
}

/// The thread that empties the socket between samples, and the totals that it shares with them. It ends when this is dropped.
final class PushReceiver {
  private let shared: Shared

  init(_ datagrams: any Datagrams, _ totals: PushTotals, credit: WorkCredit = WorkCredit()) throws(SensorError) {
    shared = Shared(datagrams, totals)
    guard datagrams.descriptor >= 0 else { return }
    let shared = shared
    guard Thread.start(name: "push", { shared.run(credit) }) else {
      throw .device("push", what: "the kernel gives no thread")
    }
  }

  deinit {
    shared.isStopping.store(true, ordering: .releasing)
    shared.bell.ring()
  }

  /// Takes what waits now, then gives the totals to `body`.
  func sample(_ body: (inout PushTotals) -> Void) {
    shared.totals.withLock { totals in
      _ = shared.takeSome(&totals)
      body(&totals)
    }
  }

  private final class Shared: Sendable {
    let datagrams: any Datagrams
    let totals: Mutex<PushTotals>
    let bell = Bell()
    let isStopping = Atomic(false)

    init(_ datagrams: any Datagrams, _ totals: PushTotals) {
      self.datagrams = datagrams
      self.totals = Mutex(totals)
    }

    /// Takes what waits, within a bound; whether there may be more.
    func takeSome(_ totals: inout PushTotals) -> Bool {
      for _ in 0..<CustomLimits.datagramsAtOnce {
        guard let datagram = datagrams.receive(limit: CustomLimits.datagramBytes) else { return false }
        totals.take(datagram)
      }
      return true
    }

    /// Counts what waits and leaves it unread, within a bound.
    private func dropSome(_ totals: inout PushTotals) {
      for _ in 0..<CustomLimits.datagramsAtOnce {
        guard datagrams.discard() else { return }
        totals.dropped += 1
      }
    }

    func run(_ granted: WorkCredit) {
      var credit = granted
      while !isStopping.load(ordering: .acquiring) {
        let ready = Poll.wait([(bell.descriptor, .readable), (datagrams.descriptor, .readable)], milliseconds: -1)
        if ready.first?.isEmpty == false { continue }
        credit.settle(used: SystemClock.threadNanoseconds, at: SystemClock.bootMilliseconds)
        // Senders that flood wait in the kernel's queue while we rest, or lose what does not fit, and know it.
        if credit.isSpent {
          totals.withLock { dropSome(&$0) }
          rest(CustomLimits.dropRestMilliseconds)
        } else if totals.withLock({ takeSome(&$0) }) {
          rest(CustomLimits.floodRestMilliseconds)
        }
      }
    }

    private func rest(_ milliseconds: Int) { _ = Poll.wait([(bell.descriptor, .readable)], milliseconds: milliseconds) }
  }
}
