import Platform
public import Telemetry

/// systemd: its state, units by state and those that failed, units that the profile names, and how long the boot took.
///
/// In the slow lane, for systemd may be busy. Reads only, for which no rights are needed on the system's bus.
public struct SystemdSensor: Sensor {
  private static let name = "org.freedesktop.systemd1"
  private static let manager = DBusObject(name, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
  static let unit = "org.freedesktop.systemd1.Unit"
  static let service = "org.freedesktop.systemd1.Service"
  /// As unit_active_state_to_string() of systemd has them; what is not in it is `other`.
  private static let states: [StaticString] = ["active", "reloading", "inactive", "failed", "activating", "deactivating"]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "systemd", summary: "Units by state, failed units, watched units, time to boot.",
    sources: [
      "org.freedesktop.systemd1 on the system's bus: ListUnits, properties of the manager and of units (org.freedesktop.systemd1(5))"
    ],
    lane: .slow, everySeconds: 30,
    settings: [
      SettingSpec(
        "units", .patterns, default: "",
        help: "Units to watch, 64 at most: `ssh`, `mnt-data.mount`, `myapp@*.service`. Without an ending it is a service."),
      SettingSpec("failed", .integer(0...200), default: "16", help: "How many failed units are named while the agent runs."),
    ],
    metrics: SystemdMetrics.all,
    check: { settings in
      let count = settings.list("units").count
      guard count > SystemdMetrics.mostUnits else { return [] }
      return [
        SettingFault(
          "units", what: "\(count) units are named, and \(SystemdMetrics.mostUnits) can be watched",
          remedy: "use patterns for fewer")
      ]
    },
    bounds: { settings in SystemdMetrics.bounds(settings, watched: patterns(settings).map(\.pattern), states: stateWords) })

  /// The units to watch, with their endings.
  private static func patterns(_ settings: Settings) -> [Glob] {
    settings.list("units").map { Glob($0.utf8.contains(UInt8(ascii: ".")) ? $0 : "\($0).service") }
  }

  private static var stateWords: [String] { states.map { "\($0)" } + ["other"] }

  private let bus: TimedDBus
  /// With their endings.
  private let patterns: [Glob]
  private let mostFailed: Int
  private let counts: [Slot]
  private var state = CurrentWord(SystemdMetrics.state, "state")
  private var boot: BootTimes?
  private var failed: [(name: String, slot: Slot)] = []
  private var watched: [WatchedUnit] = []
  /// Units of the last list that match and have no place among the watched.
  private var leftOut = 0
  /// Failed units of it that have no name among the told.
  private var unnamed = 0

  /// Asks nothing yet.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    bus = TimedDBus(context.host.systemdBus)
    patterns = Self.patterns(settings)
    mostFailed = settings.integer("failed")
    counts = Self.stateWords.map { readings.slot(SystemdMetrics.units, [Label("state", $0)]) }
    // Before those that patterns find, of which there may be too many.
    for pattern in patterns where Self.isName(pattern) { _ = index(of: pattern.pattern, &readings) }
  }

  /// Asks for the list of units, then for what it does not tell.
  ///
  /// - Throws: `absent` where there is no systemd.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    bus.begin()
    guard let units = try bus.call(Self.manager, "ListUnits", []) else {
      throw .malformed(path: "ListUnits", what: "an answer without a value")
    }
    let found = try sampleList(units, into: &readings)
    // What the list told stays when there is no more.
    readings.attempt { (readings) throws(SensorError) in
      state.set(try bus.property("SystemState", of: Self.manager).label, in: &readings)
      if boot == nil { boot = BootTimes(try bus.properties(of: Self.manager)) }
    }
    boot?.set(in: &readings)
    do throws(SensorError) {
      for unit in found { try sample(unit, into: &readings) }
      for pattern in patterns where Self.isName(pattern) && !found.contains(where: { $0.name == pattern.pattern }) {
        try sampleUnlisted(pattern.pattern, into: &readings)
      }
    } catch {
      // The next one would take as long.
      readings.note(error)
    }
    if unnamed > 0 {
      let remedy = "the setting 'failed' allows \(mostFailed) names in one run"
      readings.note(.device("systemd", what: "failed units that are not named: \(unnamed); \(remedy)"))
    }
    if leftOut > 0 {
      readings.note(.device("systemd", what: "\(leftOut) units more match than the \(SystemdMetrics.mostUnits) that are watched"))
    }
  }

  private typealias Found = (name: String, path: String, active: String, sub: String)

  /// Counts the units, names those that failed and gives those that are watched. A unit is
  ///
  /// ```
  /// (name, description, load state, active state, sub-state, followed unit, object path, job number, job type, job path)
  /// ```
  private mutating func sampleList(_ units: DBusValue, into readings: inout Readings) throws(SensorError) -> [Found] {
    var numbers = [Int](repeating: 0, count: counts.count)
    var found: [Found] = []
    (leftOut, unnamed) = (0, 0)
    for known in failed { readings.set(known.slot, 0) }
    for unit in units.items {
      guard let name = unit.item(0), let active = unit.item(3), let sub = unit.item(4), let path = unit.item(6),
        path.text != nil
      else { throw .malformed(path: "ListUnits", what: "a unit that is none") }
      let state = Self.states.firstIndex { active.isText($0) } ?? Self.states.count
      numbers[state] += 1
      if active.isText("failed"), mostFailed > 0 { setFailed(name.label ?? "", in: &readings) }
      guard !patterns.isEmpty, let text = name.label, Glob.any(patterns, match: text) else { continue }
      guard found.count < SystemdMetrics.mostUnits, index(of: text, &readings) != nil else {
        leftOut += 1
        continue
      }
      found.append((text, path.text ?? "", active.label ?? "", sub.label ?? ""))
    }
    for (slot, number) in zip(counts, numbers) { readings.set(slot, Double(number)) }
    // systemd forgets an instance that ended well. What is named is asked for by its name, which may be an alias.
    for index in watched.indices where !found.contains(where: { $0.name == watched[index].name }) {
      if !patterns.contains(where: { $0.pattern == watched[index].name }) { watched[index].setNotLoaded(in: &readings) }
    }
    return found
  }

  private mutating func setFailed(_ name: String, in readings: inout Readings) {
    if let known = failed.first(where: { $0.name == name }) { return readings.set(known.slot, 1) }
    guard failed.count < mostFailed else {
      unnamed += 1
      return
    }
    let slot = readings.slot(SystemdMetrics.failed, [Label("unit", name)])
    failed.append((name, slot))
    readings.set(slot, 1)
  }

  private static func isName(_ pattern: Glob) -> Bool {
    !pattern.pattern.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  /// One that is asked for by name and is not in the list: an alias, or not loaded.
  private mutating func sampleUnlisted(_ name: String, into readings: inout Readings) throws(SensorError) {
    guard let index = index(of: name, &readings) else { return }
    do throws(SensorError) {
      guard let path = try bus.call(Self.manager, "GetUnit", [name])?.text else { return }
      let unit = DBusObject(Self.name, path, Self.unit)
      let active = try bus.property("ActiveState", of: unit).label ?? ""
      let sub = try bus.property("SubState", of: unit).label ?? ""
      try watched[index].sample(bus, unit, active: active, sub: sub, into: &readings)
    } catch {
      guard case .absent = error else { throw error }
      watched[index].setNotLoaded(in: &readings)
    }
  }

  private mutating func sample(_ found: Found, into readings: inout Readings) throws(SensorError) {
    guard let index = index(of: found.name, &readings) else { return }
    do throws(SensorError) {
      let unit = DBusObject(Self.name, found.path, Self.unit)
      try watched[index].sample(bus, unit, active: found.active, sub: found.sub, into: &readings)
    } catch {
      // It went since it was listed.
      guard case .absent = error else { throw error }
    }
  }

  /// Where a unit is kept, which is done at its first sight; nil past the limit.
  private mutating func index(of name: String, _ readings: inout Readings) -> Int? {
    if let known = watched.firstIndex(where: { $0.name == name }) { return known }
    guard watched.count < SystemdMetrics.mostUnits else { return nil }
    watched.append(WatchedUnit(name, &readings))
    return watched.count - 1
  }
}
