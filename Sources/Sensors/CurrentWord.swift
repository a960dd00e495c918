import Telemetry

/// A state in words as series: 1 of the word that holds now, 0 of those that held before. Words past a limit share the series `other`.
struct CurrentWord {
  private static let limit = 16

  private let metric: Metric
  private let key: String
  private let labels: [Label]
  private var seen: [(word: String, slot: Slot)] = []

  /// - Parameters:
  ///   - key: the label that holds the word.
  ///   - labels: the others.
  init(_ metric: Metric, _ key: String, _ labels: [Label] = []) {
    (self.metric, self.key, self.labels) = (metric, key, labels)
  }

  /// Sets the word that holds now; with nil none does.
  mutating func set(_ word: String?, in readings: inout Readings) {
    for known in seen { readings.set(known.slot, 0) }
    guard var word, !word.isEmpty else { return }
    if !seen.contains(where: { $0.word == word }) {
      if seen.count >= Self.limit { word = "other" }
      if !seen.contains(where: { $0.word == word }) {
        seen.append((word, readings.slot(metric, labels + [Label(key, word)])))
      }
    }
    if let known = seen.first(where: { $0.word == word }) { readings.set(known.slot, 1) }
  }
}
