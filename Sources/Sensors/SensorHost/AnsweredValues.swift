import Telemetry

extension LibraryAnswer.Entry {
  /// The value of a label; empty where it has none.
  func label(_ key: String) -> String { labels.first { $0.key == key }?.value ?? "" }
}

/// Brings a library's values into a sensor's readings.
struct AnsweredValues {
  private var metrics: [String: Metric] = [:]

  /// The metrics that the library may report; all others are refused.
  init(_ metrics: [Metric]) {
    for metric in metrics { self.metrics[metric.name] = metric }
  }

  /// Sets a value, unless the metric or one of its labels is none that the catalogue knows.
  func set(_ entry: LibraryAnswer.Entry, in readings: inout Readings) {
    guard let metric = metrics[entry.metric], entry.labels.map(\.key).sorted() == metric.labels.sorted() else {
      return readings.note(.malformed(path: entry.metric, what: "no metric that this library reports"))
    }
    readings.set(readings.slot(metric, entry.labels), entry.value)
  }
}
