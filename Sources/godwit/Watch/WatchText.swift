import Telemetry
import Uplink

/// Writes what was heard: a line for people, or an object for programs.
struct WatchText {
  private let globs: [Glob]
  private let width: Int
  private let style: Style
  /// The last values by payload and node, then by key: for what changed.
  private var last: [String: [String: Double]] = [:]
  private var nodeWidth = 8

  init(metrics: [String], width: Int, style: Style) {
    globs = metrics.map { Glob($0) }
    self.width = width
    self.style = style
  }

  private func isWanted(_ value: Heard.Value) -> Bool {
    globs.isEmpty || Glob.any(globs, match: value.key) || Glob.any(globs, match: String(value.key.prefix { $0 != "{" }))
  }

  // MARK: For people

  mutating func line(_ heard: Heard, receivedMilliseconds received: Int64) -> String {
    nodeWidth = min(max(nodeWidth, heard.node.count), 24)
    let time = WallTime.text(heard.wallMilliseconds ?? received).dropFirst(11).dropLast()
    var line = Line(width: width)
    line.add(String(time), .grey)
    line.add("  " + padded(heard.node, nodeWidth), .bold)
    line.add("  " + padded(heard.payload ?? "", 13))
    line.add("  " + padded(heard.kind.rawValue, 10), colour(of: heard.kind))
    guard heard.isTick else {
      line.add("  " + heard.text)
      return line.text(style)
    }
    if let sequence = heard.sequence { line.add("  #\(sequence)") }
    line.add("  \(counted(heard.values.count, "value"))")
    let changed = changes(heard)
    let shown = globs.isEmpty ? Array(changed.prefix(WatchLimits.shownValues)) : changed
    for value in shown { line.add("  \(value.key)=\(Reading.text(value.value, unit: ""))") }
    if shown.count < changed.count { line.add("  …") }
    return line.text(style)
  }

  /// Of live values those that are others than before; of late ones those that were asked for.
  private mutating func changes(_ heard: Heard) -> [Heard.Value] {
    let wanted = heard.values.filter(isWanted)
    guard heard.kind != .backlog else { return globs.isEmpty ? [] : wanted }
    let id = "\(heard.payload ?? "") \(heard.node)"
    guard last[id] != nil || last.count < WatchLimits.nodes * 4 else { return wanted }
    var known = last.removeValue(forKey: id) ?? [:]
    defer { last[id] = known }
    return wanted.filter { value in
      let before = known[value.key]
      if before != nil || known.count < Limits.seriesPerNode { known[value.key] = value.value }
      return before.map { $0 != value.value && !($0.isNaN && value.value.isNaN) } ?? true
    }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    let cut = Span(text).cut(width)
    return cut.text + String(repeating: " ", count: width - cut.width)
  }

  private func colour(of kind: Heard.Kind) -> Style.Colour? {
    switch kind {
    case .live, .birth: .green
    case .backlog: .cyan
    case .alert, .event, .death, .unreadable: .yellow
    case .state, .info, .catalogue, .command, .other: .grey
    }
  }

  // MARK: For programs

  func json(_ heard: Heard, receivedMilliseconds received: Int64) -> [UInt8] {
    var json = JSONWriter(capacity: 128 + heard.values.count * 48)
    json.beginObject()
    json.member("received", WallTime.text(received))
    json.member("node", heard.node)
    json.member("payload", heard.payload)
    json.member("kind", heard.kind.rawValue)
    json.member("topic", heard.topic)
    json.member("retained", heard.isRetained)
    json.member("t", heard.wallMilliseconds.map(WallTime.text))
    if heard.isTick {
      json.member("boot", heard.boot)
      json.key("seq")
      if let sequence = heard.sequence { json.integer(sequence) } else { json.null() }
      json.member("q", heard.isSynced.map { $0 ? "synced" : "unsynced" })
      if let sequence = heard.sparkplugSequence { json.member("sparkplug_seq", sequence) }
      json.key("m")
      json.beginObject()
      for value in heard.values where isWanted(value) {
        json.key(value.key)
        json.number(value.value)
      }
      json.endObject()
    } else {
      json.member("text", heard.text)
      if let data = heard.json {
        json.key("data")
        json.raw(data)
      }
    }
    json.endObject()
    return json.bytes
  }

  /// The topic and the bytes: text as it is, all else as hexadecimal digits.
  static func raw(_ message: UplinkListener.Message) -> String {
    let text = String(validating: message.payload, as: UTF8.self).map { Span($0).text }
    let digits = { message.payload.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    return "\(Span(message.topic).text) \(text ?? digits())\(message.isCut ? "…" : "")"
  }
}
