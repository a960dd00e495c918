import Platform
public import Telemetry

/// Packages and updates that wait, by the files of the package manager.
///
/// In the slow lane: the lists of a distribution have 60 MB. They are read again only when they or the packages changed.
public struct PackagesSensor: Sensor {
  private static func metric(_ name: String, _ help: String, _ unit: Unit = .none) -> Metric {
    Metric("packages.\(name)", unit: unit, labels: ["manager"], help: help)
  }

  private static let installed = metric("installed", "Packages that are installed.")
  private static let upgradable = metric(
    "upgradable", "Packages of which the lists that were fetched last have a newer version.")
  private static let security = metric("security_upgradable", "Those of them whose newer version is in a list for security.")
  private static let age = metric("lists_age_seconds", "How long ago these lists were fetched.", .seconds)

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "packages",
    summary: "Packages, and updates that wait. Whether a reboot is due is `system.reboot_required`.",
    sources: [
      "/var/lib/dpkg/status (deb-control(5)), /usr/lib/opkg/status, /lib/apk/db/installed (apk-v2(5)), rpmdb.sqlite",
      "/var/lib/apt/lists (apt(8)), /var/opkg-lists, /var/cache/apk, packed by gzip or LZ4 or not",
      "/var/lib/update-notifier/updates-available",
    ],
    lane: .slow, everySeconds: 600, metrics: [installed, upgradable, security, age])

  private let host: Host
  private let history: PackageHistory

  /// Looks for a package manager.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    history = context.packages
    guard PackageSources(host) != nil else { throw .absent("/var/lib/dpkg/status") }
  }

  /// Looks whether anything changed, and reads it then.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let state = try history.state(host)
    let labels = [Label("manager", state.manager)]
    if let problem = state.problem { readings.note(problem) }
    readings.set(readings.slot(Self.installed, labels), Double(state.installed))
    if let count = state.upgradable { readings.set(readings.slot(Self.upgradable, labels), Double(count)) }
    if let count = state.securityUpgradable { readings.set(readings.slot(Self.security, labels), Double(count)) }
    if let age = state.listsAgeMilliseconds { readings.set(readings.slot(Self.age, labels), Double(age) / 1000) }
  }
}
