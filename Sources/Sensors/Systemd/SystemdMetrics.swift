import Telemetry

/// The metrics of systemd.
enum SystemdMetrics {
  /// Most watched units.
  static let mostUnits = 64

  static let state = Metric(
    "systemd.state", unit: .none, labels: ["state"],
    help: "1 for the state of the system (initializing, starting, running, degraded, maintenance, stopping), 0 for earlier ones.")
  static let units = Metric(
    "systemd.units", unit: .none, labels: ["state"],
    help: "Loaded units by active state: active, reloading, inactive, failed, activating, deactivating, other.")
  static let failed = Metric(
    "systemd.unit_failed", unit: .none, labels: ["unit"],
    help: "1 for a unit that has failed, 0 once it has not any more; as many names as the setting 'failed' allows.")
  static let boot = Metric(
    "systemd.boot_seconds", unit: .seconds, decimals: 3, labels: ["phase"],
    help: "How long the last boot took, as systemd-analyze counts: firmware, loader, kernel, initrd, userspace, total.")

  static let unitActive = Metric(
    "systemd.unit_active", unit: .none, labels: ["unit"], help: "1 while a watched unit is active or reloading, else 0.")
  static let unitState = Metric(
    "systemd.unit_state", unit: .none, labels: ["state", "unit"],
    help: "1 for the active state and sub-state of a watched unit, for example 'active (running)', 0 for earlier ones.")
  static let unitChanged = Metric(
    "systemd.unit_changed_seconds", unit: .seconds, labels: ["unit"],
    help: "When a watched unit came into its state, seconds since 1970.")
  static let unitRestarts = Metric(
    "systemd.unit_restarts_total", unit: .none, kind: .counter, labels: ["unit"],
    help: "How often systemd restarted a watched service by itself since somebody last started it.")

  /// The endings of units: systemd.unit(5).
  private static let endings = [
    "service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope",
  ]

  /// What settings leave of them; `watched` are the patterns of watched units, with their endings.
  static func bounds(_ settings: Settings, watched: [String], states: [String]) -> [MetricBound] {
    var bounds: [MetricBound] = [
      // MANAGER_STATE of src/core/manager.c.
      .label("state", of: [state], is: ["initializing", "starting", "running", "degraded", "maintenance", "stopping"]),
      .label("state", of: [units], is: states),
      .label("phase", of: [boot], is: ["firmware", "loader", "kernel", "initrd", "userspace", "total"]),
      .label("unit", of: [failed], is: endings.map { "*.\($0)" }, remedy: "write a unit with its ending: 'ssh.service'"),
      .named("unit", of: [unitActive, unitState, unitChanged], in: "units", watched),
    ]
    let services = watched.filter { Glob($0).overlaps(Glob("*.service")) }
    bounds.append(
      services.isEmpty && !watched.isEmpty
        ? .off([unitRestarts], why: "'units' names no service", remedy: "name one in 'units'")
        : .named("unit", of: [unitRestarts], in: "units", services))
    if settings.integer("failed") == 0 {
      bounds.append(.off([failed], why: "'failed' is 0", remedy: "write 'failed: 16'"))
    }
    return bounds
  }

  static let all = [state, units, failed, boot, unitActive, unitState, unitChanged, unitRestarts]
}
