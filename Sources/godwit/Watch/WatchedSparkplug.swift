import Telemetry
import Uplink

/// What the birth of a Sparkplug node says of a metric.
struct SparkplugAlias {
  /// The series' key, where the birth has it, else the metric's name.
  let key: String
  let datatype: SparkplugDatatype?
}

extension WatchedNode {
  /// Reads a message `spBv1.0/<group>/<verb>/<node>`.
  mutating func readSparkplug(_ payload: [UInt8], verb: String, _ base: Heard) -> [Heard] {
    var heard = base
    heard.payload = "sparkplug"
    let message: SparkplugPayload
    do throws(ProtobufDamage) { message = try SparkplugPayload(decoding: payload) } catch {
      return [WatchDecoder.unreadable(heard, "it is no Sparkplug payload: \(error)")]
    }
    heard.wallMilliseconds = message.timestamp.map { Int64(clamping: $0) }
    heard.sparkplugSequence = message.sequence
    switch verb {
    case "NBIRTH":
      heard.kind = .birth
      learn(message)
      heard.values = message.metrics.filter { $0.alias != nil }.compactMap(value)
      return [heard]
    case "NDATA": return data(message, heard)
    case "NDEATH": heard.kind = .death
    case "NCMD": heard.kind = .command
    default: break
    }
    heard.text = message.metrics.prefix(8).compactMap(\.name).joined(separator: " ")
    return [heard]
  }

  private mutating func learn(_ birth: SparkplugPayload) {
    aliases = [:]
    for metric in birth.metrics.prefix(Limits.seriesPerNode) {
      guard let alias = metric.alias else { continue }
      var key = metric.name ?? "alias:\(alias)"
      if case .string(let series)? = metric.properties.first(where: { $0.key == "series" })?.value { key = series }
      aliases[alias] = SparkplugAlias(key: key, datatype: metric.datatype)
    }
  }

  /// One for each time that its metrics were taken at: historical data has many in one message.
  private func data(_ message: SparkplugPayload, _ base: Heard) -> [Heard] {
    var ticks: [Heard] = []
    for metric in message.metrics {
      guard let value = value(metric) else { continue }
      let time = (metric.timestamp ?? message.timestamp).map { Int64(clamping: $0) }
      let kind: Heard.Kind = metric.isHistorical ? .backlog : .live
      if ticks.last?.wallMilliseconds != time || ticks.last?.kind != kind {
        var tick = base
        tick.kind = kind
        tick.wallMilliseconds = time
        ticks.append(tick)
      }
      ticks[ticks.count - 1].values.append(value)
    }
    return ticks
  }

  /// Nil for what is no number.
  private func value(_ metric: SparkplugMetric) -> Heard.Value? {
    let known = metric.alias.flatMap { aliases[$0] }
    let key = known?.key ?? metric.name ?? metric.alias.map { "alias:\($0)" } ?? "?"
    if metric.isNull { return Heard.Value(key: key, value: .nan) }
    let datatype = metric.datatype ?? known?.datatype
    switch metric.value {
    // Int8, Int16 and Int32 (1…3) are signed, and so is what has no type: a birth was missed.
    case .int(let bits):
      let isSigned = (datatype?.rawValue ?? 3) <= 3
      return Heard.Value(key: key, value: isSigned ? Double(Int32(bitPattern: bits)) : Double(bits))
    case .long(let bits):
      let isSigned = (datatype ?? .int64) == .int64
      return Heard.Value(key: key, value: isSigned ? Double(Int64(bitPattern: bits)) : Double(bits))
    case .float(let number): return Heard.Value(key: key, value: Double(number))
    case .double(let number): return Heard.Value(key: key, value: number)
    case .boolean(let flag): return Heard.Value(key: key, value: flag ? 1 : 0)
    case .string, .bytes, nil: return nil
    }
  }
}
