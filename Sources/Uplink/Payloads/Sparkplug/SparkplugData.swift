import Buffer
import Telemetry

extension SparkplugNode {
  /// A live tick: the metrics that changed since the last message, by alias. A tick that finds no session is owed and comes later as
  /// history; its values are the current ones all the same.
  mutating func tick(_ tick: LiveTick, at moment: SparkplugMoment) -> SparkplugTickAnswer {
    values.grow(to: table.count)
    values.take(
      tick.values, places: livePlaces, wallMilliseconds: tick.wallMilliseconds, milliseconds: moment.milliseconds)
    guard isReady else {
      guard isBirthPossible(at: moment) else { return .owed }
      return .messages([birth(.tick(tick.sequence), at: moment)])
    }
    let changed = values.changedPlaces
    guard !changed.isEmpty else { return .unchanged }
    var parts = SparkplugParts(timestamp: SparkplugMoment.wire(moment.wallMilliseconds), bound: dataBytes)
    for place in changed {
      let value = SparkplugMetricTable.value(values.current[place], table.entries[place].datatype)
      let time = SparkplugMoment.wire(values.times[place])
      parts.append(SparkplugMetric(alias: SparkplugMetricTable.alias(place), timestamp: time, value))
    }
    values.told(changed)
    return .messages(messages(of: parts, .tick(tick.sequence)))
  }

  /// A message of owed ticks, to be filled from the buffer; nil while nothing may be sent.
  func history(at moment: SparkplugMoment) -> SparkplugHistory? {
    guard isReady else { return nil }
    return SparkplugHistory(
      places: storedPlaces, table: table, timestamp: SparkplugMoment.wire(moment.wallMilliseconds), bound: dataBytes)
  }

  /// The messages of owed ticks of a range, from its begin to the last tick that was taken.
  ///
  /// - Returns: empty when the history has nothing to send, or may not be sent any more. Ticks that were taken and have nothing to
  ///   send (`isEmpty`) are delivered as an `unchanged` one is.
  mutating func messages(of history: SparkplugHistory, from first: UInt64) -> [SparkplugMessage] {
    guard isReady, let last = history.lastSequence, last >= first, !history.parts.isEmpty else { return [] }
    return messages(of: history.parts, .backlog(first...last, ticks: history.ticks))
  }

  private mutating func messages(of parts: SparkplugParts, _ cargo: SparkplugMessage.Cargo) -> [SparkplugMessage] {
    let payloads = parts.finished(&sequence)
    return payloads.enumerated().map { index, payload in
      SparkplugMessage(
        topic: topics.data, payload: payload, qualityOfService: 0, cargo: index == payloads.count - 1 ? cargo : .part)
    }
  }
}

/// Owed ticks on their way into historical data: each metric is marked and has its own time, and nothing live stands beside it.
///
/// It can be read alone: the first tick that has a series names its value, later ones only name changes.
struct SparkplugHistory {
  private let places: [Int?]
  private let table: SparkplugMetricTable
  private var written: [Double]
  private var tick = ProtobufWriter()
  fileprivate private(set) var parts: SparkplugParts
  /// The last tick taken; nil before the first.
  private(set) var lastSequence: UInt64?
  /// Ticks taken.
  private(set) var ticks: UInt64 = 0
  /// The tick that was refused holds series that the node does not know: they have to be learned, and born, before it can be sent.
  private(set) var needsSeries = false

  fileprivate init(places: [Int?], table: SparkplugMetricTable, timestamp: UInt64, bound: Int) {
    self.places = places
    self.table = table
    written = Array(repeating: .missing, count: places.count)
    parts = SparkplugParts(timestamp: timestamp, bound: bound)
  }

  /// Whether what was taken has anything to send.
  var isEmpty: Bool { parts.isEmpty }

  /// Takes the next tick, ascending, if there is room for it; the first one always finds room, in several messages if need be.
  ///
  /// - Returns: whether another may follow. After false `lastSequence` says whether this one was taken.
  mutating func append(_ values: [Double], sequence: UInt64, wallMilliseconds: Int64) -> Bool {
    if values.count > places.count, values[places.count...].contains(where: { !$0.isMissing }) {
      needsSeries = true
      return false
    }
    let time = SparkplugMoment.wire(wallMilliseconds)
    tick.clear()
    for id in 0..<min(values.count, places.count) where !values[id].isMissing {
      guard let place = places[id], written[id].isMissing || !SparkplugValues.same(written[id], values[id]) else { continue }
      written[id] = values[id]
      let value = SparkplugMetricTable.value(values[id], table.entries[place].datatype)
      let metric = SparkplugMetric(
        alias: SparkplugMetricTable.alias(place), timestamp: time, isHistorical: true, value)
      if ticks == 0 { parts.append(metric) } else { metric.encode(to: &tick) }
    }
    guard parts.append(whole: tick) else { return false }
    lastSequence = sequence
    ticks += 1
    return parts.isSingle && ticks < UInt64(UplinkLimits.backlogMessageTicks)
  }
}
