import Buffer
import Telemetry
import Uplink

/// What has to be known of a node to read its next message.
struct WatchedNode {
  private var packed = PackedReader()
  private var names = SeriesNames()
  var aliases: [UInt64: SparkplugAlias] = [:]

  /// Reads a message below the node's own level of the prefix.
  mutating func read(_ payload: [UInt8], levels: [String], _ base: Heard) -> [Heard] {
    var heard = base
    switch (levels.first ?? "", levels.count) {
    case ("metrics", 1): return readJSON(payload, .live, heard)
    case ("backlog", 1): return readJSON(payload, .backlog, heard)
    case ("packed", 2): return readPacked(payload, levels[1] == "backlog" ? .backlog : .live, heard)
    case ("homeassistant", 2): return [readHomeAssistant(payload, heard)]
    case ("series", 2): return [learn(payload, heard)]
    case ("state", 1): heard.kind = .state
    case ("info", 1): heard.kind = .info
    case ("events", 1): heard.kind = .event
    case ("alerts", 2): heard.kind = .alert
    case ("cmd", 2...): heard.kind = .command
    default: break
    }
    return [Self.describe(payload, levels, heard)]
  }

  // MARK: Values

  private func readJSON(_ payload: [UInt8], _ kind: Heard.Kind, _ base: Heard) -> [Heard] {
    var heard = base
    heard.payload = "json"
    guard let value = try? JSONValue(parsing: payload) else { return [WatchDecoder.unreadable(heard, "it is no JSON")] }
    heard.kind = kind
    let ticks = kind == .live ? [value] : value["ticks"]?.elements ?? []
    guard kind == .live || value["ticks"] != nil else { return [WatchDecoder.unreadable(heard, "it has no ticks")] }
    return ticks.map { tick in
      guard let tree = tick["m"], tree.members != nil else { return WatchDecoder.unreadable(heard, "a tick has no values") }
      var heard = heard
      heard.wallMilliseconds = tick["t"]?.text.flatMap(WallTime.milliseconds)
      heard.boot = tick["boot"]?.text
      heard.sequence = tick["seq"]?.count.map { UInt64($0) }
      heard.isSynced = tick["q"]?.text.map { $0 == "synced" }
      flatten(tree, [], &heard.values)
      return heard
    }
  }

  /// The leaves of the tree by their series' keys. Trees are no deeper than `JSONValue` reads.
  private func flatten(_ value: JSONValue, _ path: [String], _ values: inout [Heard.Value]) {
    guard values.count < Limits.seriesPerNode else { return }
    switch value {
    case .object(let members): for member in members { flatten(member.value, path + [member.key], &values) }
    case .number(let number): values.append(.init(key: names.key(path: path), value: number))
    case .null: values.append(.init(key: names.key(path: path), value: .nan))
    case .bool, .string, .array: break
    }
  }

  private mutating func readPacked(_ payload: [UInt8], _ kind: Heard.Kind, _ base: Heard) -> [Heard] {
    var heard = base
    heard.payload = "packed"
    var ticks: [PackedTick] = []
    do throws(PackedFault) { try packed.read(payload) { ticks.append($0) } } catch {
      return [WatchDecoder.unreadable(heard, Self.reason(error))]
    }
    heard.kind = kind
    return ticks.map { tick in
      var heard = heard
      heard.wallMilliseconds = tick.wallMilliseconds
      heard.boot = tick.boot
      heard.sequence = tick.sequence
      heard.isSynced = tick.synced
      heard.values = zip(packed.series, tick.values).filter { !$0.1.isMissing }.map { .init(key: $0.0.key, value: $0.1) }
      return heard
    }
  }

  private static func reason(_ fault: PackedFault) -> String {
    switch fault {
    case .notPacked: "it is no message of this payload"
    case .unknownVersion(let version): "version \(version) is not known: a newer godwit reads it"
    case .damaged: "it is damaged"
    case .missingBase(let sequence): "it builds on message \(sequence), which was not heard; the next key can be read"
    case .wrongCatalogue(let count): "it counts on the names of \(count) series, which were not heard"
    case .tooLarge: "it is too large"
    }
  }

  private func readHomeAssistant(_ payload: [UInt8], _ base: Heard) -> Heard {
    var heard = base
    heard.payload = "homeassistant"
    guard let members = (try? JSONValue(parsing: payload))?.members else {
      return WatchDecoder.unreadable(heard, "it is no JSON object")
    }
    heard.kind = .live
    for member in members.prefix(Limits.seriesPerNode) {
      guard case .number(let number) = member.value else { continue }
      heard.values.append(.init(key: names.key(member: member.key) ?? member.key, value: number))
    }
    return heard
  }

  private mutating func learn(_ payload: [UInt8], _ base: Heard) -> Heard {
    var heard = base
    let before = packed.series
    do throws(PackedFault) { try packed.learn(catalogue: payload) } catch {
      return WatchDecoder.unreadable(heard, "the names of series: \(Self.reason(error))")
    }
    if packed.series != before { names = SeriesNames(packed.series) }
    heard.kind = .catalogue
    heard.text = "\(packed.series.count) series"
    return heard
  }

  // MARK: All else

  private static func describe(_ payload: [UInt8], _ levels: [String], _ base: Heard) -> Heard {
    var heard = base
    let text = Span(String(decoding: payload.prefix(4_096), as: UTF8.self)).text
    guard let value = try? JSONValue(parsing: payload), value.members != nil else {
      heard.text = payload.isEmpty ? "(empty)" : text
      return heard
    }
    // A line feed in JSON stands between its parts only.
    heard.json = payload.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    func words(_ keys: String...) -> String { keys.compactMap { value[$0]?.text }.filter { !$0.isEmpty }.joined(separator: " ") }
    heard.wallMilliseconds = value["t"]?.text.flatMap(WallTime.milliseconds)
    switch heard.kind {
    case .alert: heard.text = words("rule", "severity", "state")
    case .event: heard.text = words("kind", "severity", "message")
    case .info: heard.text = words("version", "boot", "started")
    case .command: heard.text = ([levels[1]] + [words("command", "state", "reason")]).joined(separator: " ")
    default: heard.text = text
    }
    return heard
  }
}
