import Telemetry

/// What a reload changes: how the agent applies a new profile as one step, and what it logs.
public struct ProfileDifference: Sendable, Equatable {
  /// Kinds that only the new profile has, in its order.
  public let addedSensors: [String]
  /// Kinds that only the old profile has.
  public let removedSensors: [String]
  /// Kinds whose pace, deadline or settings differ: they start afresh.
  public let changedSensors: [String]
  /// Kinds that go on with their state.
  public let keptSensors: [String]
  /// Names of rules that only the new profile has.
  public let addedAlerts: [String]
  /// Names of rules that only the old profile has.
  public let removedAlerts: [String]
  /// Names of rules that differ: their state begins again.
  public let changedAlerts: [String]
  /// Whether rules keep their names and contents but stand in another order.
  public let alertsReordered: Bool
  /// Whether anything of `uplink` differs, its presence included.
  public let uplinkChanged: Bool
  /// Whether anything of `buffer` differs.
  public let bufferChanged: Bool
  /// Whether the tick differs.
  public let tickChanged: Bool
  /// Whether the node id differs: topics and the identity at the broker follow it.
  public let nodeChanged: Bool
  /// Whether the node's labels differ.
  public let labelsChanged: Bool
  /// Whether the log's level or format differs.
  public let logChanged: Bool
  /// What a reload cannot change, as keys of the profile; the old values stay until the agent is restarted.
  public let needsRestart: [String]
  /// For the log, one change a line: `sensors.thermal: every 1s -> 2s`; empty when nothing differs.
  public let lines: [String]

  /// Compares what runs with what is to run.
  public init(from old: Profile, to new: Profile) {
    let before = Dictionary(old.sensors.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    let after = Dictionary(new.sensors.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    addedSensors = new.sensors.map(\.kind).filter { before[$0] == nil }
    removedSensors = old.sensors.map(\.kind).filter { after[$0] == nil }
    let common = new.sensors.map(\.kind).filter { before[$0] != nil }
    changedSensors = common.filter { before[$0] != after[$0] }
    keptSensors = common.filter { before[$0] == after[$0] }

    let oldRules = Dictionary(old.alerts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let newRules = Dictionary(new.alerts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    addedAlerts = new.alerts.map(\.name).filter { oldRules[$0] == nil }
    removedAlerts = old.alerts.map(\.name).filter { newRules[$0] == nil }
    changedAlerts = new.alerts.map(\.name).filter { name in oldRules[name].map { $0 != newRules[name] } ?? false }
    let sameRules = addedAlerts.isEmpty && removedAlerts.isEmpty && changedAlerts.isEmpty
    alertsReordered = sameRules && old.alerts != new.alerts

    uplinkChanged = old.uplink != new.uplink
    bufferChanged = old.buffer != new.buffer
    tickChanged = old.tickMilliseconds != new.tickMilliseconds
    nodeChanged = old.node != new.node
    labelsChanged = old.labels != new.labels
    logChanged = old.log != new.log
    var restart: [String] = []
    if old.buffer.path != new.buffer.path { restart.append("buffer.path") }
    if old.control != new.control { restart.append("control.socket") }
    if let old = old.uplink, let new = new.uplink, old.payloads != new.payloads { restart.append("uplink.payloads") }
    needsRestart = restart
    lines = DifferenceText(from: old, to: new).lines
  }

  /// Whether any rule was added, removed or changed.
  public var alertsChanged: Bool {
    alertsReordered || !(addedAlerts.isEmpty && removedAlerts.isEmpty && changedAlerts.isEmpty)
  }

  /// Whether the two profiles say the same.
  public var isEmpty: Bool { lines.isEmpty }
}
