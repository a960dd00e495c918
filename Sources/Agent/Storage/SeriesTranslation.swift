import Buffer
import Telemetry

/// Puts a run's ids in place of a file's: for a file that could be opened only after the run had given out ids of its own.
struct SeriesTranslation {
  /// The file's id of each of the run's series.
  private var ids: [Int]
  private var fileSeries: [StoredSeries]
  private var runDecimals: [Int]
  private let epochOffset: Int

  init(run: [StoredSeries], file: [StoredSeries], firstEpoch: Int) {
    fileSeries = file
    ids = []
    runDecimals = []
    // This run counts its epochs from 1, for want of better knowledge.
    epochOffset = firstEpoch - 1
    learn(run)
  }

  /// Whether both number alike, also what is still to come, so that nothing needs translating.
  var isIdentity: Bool { epochOffset == 0 && ids == Array(fileSeries.indices) }

  private mutating func learn(_ series: [StoredSeries]) {
    for entry in series where entry.id == ids.count {
      runDecimals.append(entry.decimals)
      if let known = fileSeries.firstIndex(where: { $0.key == entry.key }) {
        ids.append(known)
      } else {
        ids.append(fileSeries.count)
        fileSeries.append(
          StoredSeries(
            id: fileSeries.count, key: entry.key, name: entry.name, labels: entry.labels, unit: entry.unit, kind: entry.kind,
            decimals: entry.decimals))
      }
    }
  }

  /// The same transaction in the file's numbers.
  mutating func translate(_ transaction: BufferTransaction) -> BufferTransaction {
    learn(transaction.series)
    var result = transaction
    result.series = transaction.series.map { fileSeries[ids[$0.id]] }
    for index in result.epochs.indices { result.epochs[index].id += epochOffset }
    for index in result.events.indices { result.events[index].epoch += epochOffset }
    result.ticks = translate(transaction.ticks)
    return result
  }

  private func translate(_ ticks: [EncodedTick]) -> [EncodedTick] {
    var decoder = TickDecoder(decimals: runDecimals)
    var encoder = TickEncoder()
    encoder.learn(decimals: fileSeries.map(\.decimals))
    var translated: [EncodedTick] = []
    for tick in ticks {
      // Rows of this run's own making always decode; one that did not would be dropped rather than stored wrongly.
      guard (try? decoder.decode(tick.bytes)) != nil else { continue }
      if tick.back == 0 { encoder.beginGroup() }
      var values = [Double](repeating: .missing, count: fileSeries.count)
      for (id, value) in decoder.values.enumerated() where id < ids.count { values[ids[id]] = value }
      translated.append(
        encoder.encode(
          sequence: tick.sequence, epoch: tick.epoch + epochOffset, milliseconds: tick.milliseconds, values: values))
    }
    return translated
  }
}
