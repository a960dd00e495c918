import ArgumentParser
import Platform
import Sensors
import Telemetry

/// `godwit sensors`: the catalogue.
struct SensorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sensors", abstract: "Lists the kinds of sensors, or describes one: metrics, units, settings, sources.")

  @Argument(help: "The kind to describe.")
  var kind: String?

  @Flag(help: "Prints a JSON array.")
  var json = false

  func validate() throws {
    if let kind, SensorCatalogue.type(named: kind) == nil { throw UnknownSensor.error(kind) }
  }

  func run() {
    let kinds = SensorCatalogue.kinds.filter { kind == nil || $0.name == kind }
    if json {
      Output.write(CatalogueText.json(kinds))
    } else if kind != nil {
      for kind in kinds { Output.write(CatalogueText.description(of: kind, width: Style.terminalColumns ?? .max)) }
    } else {
      Output.write(CatalogueText.list(kinds, width: Style.terminalColumns ?? .max))
    }
  }
}

/// How the catalogue is written.
enum CatalogueText {
  /// One line a kind.
  static func list(_ kinds: [SensorKind], width: Int) -> String {
    var table = Table(.left, .right, .left)
    for kind in kinds { table.add(Span(kind.name), Span("\(kind.metrics.count) metrics"), Span(kind.summary)) }
    return (table.lines(width: width) + ["", "More of one: godwit sensors KIND"]).map { $0 + "\n" }.joined()
  }

  /// Everything about one kind.
  static func description(of kind: SensorKind, width: Int) -> String {
    var lines = ["\(kind.name): \(kind.summary)", "", "Sources"]
    lines += kind.sources.map { "  \($0)" }
    lines += [
      "", "Sampled \(every(kind)), \(kind.lane == .fast ? "inside the tick" : "on a thread of its own, with a deadline")", "",
      "Metrics",
    ]
    var metrics = Table(.left, .left, .left, .left)
    for metric in kind.metrics {
      let labels = metric.labels.isEmpty ? "" : "{\(metric.labels.joined(separator: ","))}"
      let type = metric.kind == .counter ? "counter" : ""
      metrics.add(Span(metric.name + labels), Span(metric.unit.rawValue), Span(type), Span(metric.help))
    }
    lines += metrics.lines(indent: 2, width: width)
    lines += ["", "Settings, besides every, deadline and enabled"]
    var settings = Table(.left, .left, .left)
    for spec in kind.settings {
      settings.add(Span(spec.key), Span(spec.fallback.map { $0.isEmpty ? "(none)" : $0 } ?? "(none)"), Span(meaning(spec)))
    }
    lines += settings.isEmpty ? ["  none"] : settings.lines(indent: 2, width: width)
    for spec in kind.settings {
      guard case .items(let keys) = spec.type else { continue }
      var items = Table(.left, .left, .left)
      for key in keys {
        let fallback = key.fallback.map { $0.isEmpty ? "(none)" : $0 } ?? (key.isRequired ? "required" : "(none)")
        items.add(Span(key.key), Span(fallback), Span(meaning(key)))
      }
      lines += ["", "Each of \(spec.key)"] + items.lines(indent: 2, width: width)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func every(_ kind: SensorKind) -> String {
    kind.everySeconds.map { "every \(Quantity.duration($0 * 1000)) unless the profile says otherwise" } ?? "every tick"
  }

  private static func meaning(_ spec: SettingSpec) -> String {
    switch spec.type {
    case .choice(let words), .choices(let words): "\(spec.help) (\(words.joined(separator: ", ")))"
    default: spec.help
    }
  }

  /// An array of objects, and a line feed.
  static func json(_ kinds: [SensorKind]) -> [UInt8] {
    var json = JSONWriter(capacity: 16_384)
    json.beginArray()
    for kind in kinds { write(kind, to: &json) }
    json.endArray()
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ kind: SensorKind, to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", kind.name)
    json.member("summary", kind.summary)
    json.member("lane", kind.lane.rawValue)
    json.key("every_s")
    if let seconds = kind.everySeconds { json.integer(seconds) } else { json.null() }
    json.member("sources", kind.sources)
    json.objects("metrics", kind.metrics) { json, metric in
      json.member("name", metric.name)
      json.member("unit", metric.unit.rawValue)
      json.member("kind", metric.kind.rawValue)
      json.member("decimals", metric.decimals)
      json.member("labels", metric.labels)
      json.member("help", metric.help)
    }
    json.objects("settings", kind.settings) { json, spec in
      json.member("key", spec.key)
      json.member("default", spec.fallback)
      json.member("help", spec.help)
    }
    json.endObject()
  }
}
