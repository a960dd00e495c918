import Platform
public import Telemetry

/// How well the clock is kept, and by whom: chrony by its own protocol, else systemd-timesyncd.
///
/// In the slow lane: a service may not answer. What the kernel knows of its clock is in the family `system`.
public struct TimeSensor: Sensor {
  private static let synchronized = Timesync.directory + "/synchronized"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "time", summary: "Offset, jitter, frequency, stratum, sources and last update of chrony or systemd-timesyncd.",
    sources: [
      "chronyd at UDP port 323 of the loopback: tracking, sources (candm.h of chrony 2.2 and later)",
      "org.freedesktop.timesync1 on D-Bus, /run/systemd/timesync/synchronized (systemd-timesyncd.service(8))",
    ],
    lane: .slow, everySeconds: 30,
    settings: [
      SettingSpec(
        "chrony_port", .integer(1...65_535), default: "323",
        help: "The UDP port at which chronyd answers on the loopback: `cmdport` of chrony.conf(5).")
    ],
    metrics: TimeMetrics.all)

  private let host: Host
  private let chrony: Chrony
  private let bus: any DBus
  /// The sources told of so far.
  private var known: [String] = []

  /// Looks who keeps the clock.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    bus = host.systemBus
    chrony = Chrony(calls: context.host.calls, port: UInt16(clamping: settings.integer("chrony_port")))
  }

  /// Asks whoever keeps the clock now: one may be installed in the other's place.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    do throws(SensorError) {
      try sampleChrony(into: &readings)
    } catch {
      switch error {
      case .absent: try sampleTimesync(into: &readings)
      case .timedOut: throw .device("chronyd", what: "no answer at port \(chrony.port)")
      default: throw error
      }
    }
  }

  private mutating func sampleChrony(into readings: inout Readings) throws(SensorError) {
    let end = SystemClock.bootMilliseconds + TimeLimits.sampleMilliseconds
    let tracking = try chrony.tracking()
    func set(_ metric: Metric, _ value: Double) { readings.set(readings.slot(metric), value) }
    set(TimeMetrics.leap, Double(tracking.leap))
    // Until it has a source, it says stratum 0 and invents the rest.
    set(TimeMetrics.stratum, Double(tracking.stratum))
    if let reference = tracking.reference {
      let age = host.calls.fileAge("chrony.reference", modifiedMilliseconds: reference)
      set(TimeMetrics.age, max(Double(age) / 1_000, 0))
      for (metric, value) in zip(TimeMetrics.tracked, tracking.figures) { set(metric, value) }
    }
    let count = try chrony.sourceCount()
    var (told, nameless, reachable) = (0, 0, 0)
    for index in 0..<min(count, TimeLimits.asked) {
      // Half of them would look as if the others had gone.
      guard SystemClock.bootMilliseconds < end else { return readings.note(.timedOut) }
      do throws(SensorError) {
        let source = try chrony.source(index)
        guard let name = source.name else {
          nameless += 1
          continue
        }
        if source.reach != 0 { reachable += 1 }
        told += 1
        if told <= TimeLimits.sources { report(source, name, into: &readings) }
      } catch {
        // One that was removed meanwhile costs only itself.
        readings.note(error)
      }
    }
    set(TimeMetrics.sources, Double(count - nameless))
    set(TimeMetrics.reachable, Double(reachable))
  }

  private mutating func report(_ source: Chrony.Source, _ name: String, into readings: inout Readings) {
    guard isTold(name) else { return }
    let label = [Label("source", name)]
    func set(_ metric: Metric, _ value: Double) { readings.set(readings.slot(metric, label), value) }
    set(TimeMetrics.selected, source.state == 0 ? 1 : 0)
    set(TimeMetrics.state, Double(source.state))
    set(TimeMetrics.reach, Double((source.reach & 0xFF).nonzeroBitCount) * 12.5)
    set(TimeMetrics.sourceStratum, Double(source.stratum))
    guard let age = source.sampleSeconds else { return }
    set(TimeMetrics.sourceAge, age)
    set(TimeMetrics.sourceOffset, source.offset)
    set(TimeMetrics.sourceError, source.error)
  }

  /// timesyncd touches a file whenever it sets the clock right; the rest it says on D-Bus.
  private mutating func sampleTimesync(into readings: inout Readings) throws(SensorError) {
    let age = host.age(Self.synchronized)
    guard age != nil || host.isDirectory(Timesync.directory) else {
      throw .absent("chronyd at port \(chrony.port), \(Timesync.directory)")
    }
    func set(_ metric: Metric, _ value: Double) { readings.set(readings.slot(metric), value) }
    if let age { set(TimeMetrics.age, max(Double(age) / 1_000, 0)) }
    readings.attempt { (readings) throws(SensorError) in
      let state = Timesync(try bus.properties(of: Timesync.manager))
      func set(_ metric: Metric, _ value: Double) { readings.set(readings.slot(metric), value) }
      guard let state else {
        // No server has answered yet.
        set(TimeMetrics.stratum, 0)
        return
      }
      set(TimeMetrics.leap, state.leap)
      // This clock is one further from the reference than its server.
      set(TimeMetrics.stratum, state.serverStratum + 1)
      set(TimeMetrics.offset, state.offset)
      set(TimeMetrics.jitter, state.jitter)
      set(TimeMetrics.frequency, state.frequency)
      set(TimeMetrics.rootDelay, state.rootDelay)
      set(TimeMetrics.rootDispersion, state.rootDispersion)
      set(TimeMetrics.interval, state.interval)
      guard !state.server.isEmpty, isTold(state.server) else { return }
      let label = [Label("source", state.server)]
      readings.set(readings.slot(TimeMetrics.selected, label), 1)
      readings.set(readings.slot(TimeMetrics.sourceStratum, label), state.serverStratum)
    }
  }

  /// Whether there is room for a source's series, or they are there already.
  private mutating func isTold(_ source: String) -> Bool {
    if known.contains(source) { return true }
    guard known.count < TimeLimits.knownSources else { return false }
    known.append(source)
    return true
  }
}
