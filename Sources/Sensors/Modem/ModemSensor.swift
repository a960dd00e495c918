import Platform
public import Telemetry

/// Modems of mobile networks, as ModemManager knows them: signal, operator, registration, SIM, data session.
///
/// In the slow lane, for ModemManager asks the modem. It is not started by being asked, and nothing is changed: signal polling is set up by
/// whoever may.
public struct ModemSensor: Sensor {
  static let service = "org.freedesktop.ModemManager1"
  private static let objects = DBusObject(service, "/org/freedesktop/ModemManager1", "org.freedesktop.DBus.ObjectManager")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "modem", summary: "Mobile network: signal, operator, technology, registration, SIM, data session.",
    sources: [
      "org.freedesktop.ModemManager1 on the system's bus: GetManagedObjects; Modem, Modem3gpp, Signal, Bearer (ModemManager D-Bus reference)"
    ],
    lane: .slow, everySeconds: 30, metrics: ModemMetrics.all)

  private let bus: TimedDBus
  private var modems: [Modem] = []

  /// Asks nothing yet.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    bus = TimedDBus(context.host.systemBus)
  }

  /// Asks for all modems, then for the data sessions of each.
  ///
  /// - Throws: `absent` where ModemManager does not run or knows no modem.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    bus.begin()
    guard let objects = try bus.call(Self.objects, "GetManagedObjects", []) else {
      throw .malformed(path: Self.service, what: "an answer without a value")
    }
    var present: [String] = []
    // Each is a path and its interfaces.
    for object in objects.items.prefix(ModemMetrics.mostModems) {
      guard let path = object.item(0)?.text, let interfaces = object.item(1), interfaces[Self.modem] != nil else { continue }
      present.append(path)
      let index = index(of: path, interfaces)
      readings.attempt { (readings) throws(SensorError) in try modems[index].sample(bus, interfaces, into: &readings) }
    }
    modems.removeAll { !present.contains($0.path) }
    guard !present.isEmpty else { throw .absent("a modem") }
  }

  private static let modem: StaticString = "org.freedesktop.ModemManager1.Modem"

  /// Where a modem is kept. Its path has a new number each time it is plugged in, so it is named by its port, `cdc-wdm0`.
  private mutating func index(of path: String, _ interfaces: DBusValue) -> Int {
    if let known = modems.firstIndex(where: { $0.path == path }) { return known }
    var name = interfaces[Self.modem]?["PrimaryPort"]?.label ?? ""
    if name.isEmpty || modems.contains(where: { $0.name == name }) {
      name = path.split(separator: "/").last.map { "modem\($0)" } ?? path
    }
    modems.append(Modem(path, name: name))
    return modems.count - 1
  }
}
