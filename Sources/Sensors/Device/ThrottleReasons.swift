import Platform
import Telemetry

/// Flags of 0 and 1 that say why clocks are held down, behind one that says whether they are.
///
/// Each read wakes the register's owner: while the summary is 0 the others are not asked.
struct ThrottleReasons {
  let summary: HostFile?
  let reasons: [(file: HostFile, slot: Slot)]

  /// The files `<prefix><reason>` of a directory; `summary` is none of them.
  init(
    directory: String, prefix: String, summary: String, metric: Metric, labels: [Label], host: Host, _ readings: inout Readings
  ) {
    let names = (try? host.list(directory)) ?? []
    self.summary = names.contains(summary) ? host.file("\(directory)/\(summary)") : nil
    var reasons: [(file: HostFile, slot: Slot)] = []
    for name in names where name.hasPrefix(prefix) && name != summary {
      let label = Label("reason", String(name.dropFirst(prefix.count)))
      reasons.append((host.file("\(directory)/\(name)"), readings.slot(metric, labels + [label])))
    }
    self.reasons = reasons
  }

  /// The series it sets.
  var slots: [Slot?] { reasons.map(\.slot) }

  /// Reads the summary, and the reasons when there is one. Of several sources of one series one is enough.
  func sample(into readings: inout Readings) throws(SensorError) {
    var isThrottled = true
    if let summary { isThrottled = try Self.flag(summary) }
    for (file, slot) in reasons {
      let isSet = isThrottled ? try Self.flag(file) : false
      if isSet || slot.index < 0 || readings.values[slot.index].isMissing { readings.set(slot, isSet ? 1 : 0) }
    }
  }

  private static func flag(_ file: HostFile) throws(SensorError) -> Bool {
    guard let value = try file.integer() else { throw .malformed(path: file.path, what: "not 0 or 1") }
    return value != 0
  }
}
