import Telemetry
import Uplink

/// Reads the messages of nodes, whatever their payload. No I/O.
struct WatchDecoder {
  private let prefix: String
  private let pattern: Glob
  /// By name; Sparkplug nodes stand under their group besides.
  private var nodes: [String: WatchedNode] = [:]

  init(prefix: String, node: String) {
    self.prefix = prefix + "/"
    pattern = Glob(node)
  }

  /// What to subscribe to.
  static func filters(prefix: String, node: String) -> [String] {
    let level = node.contains("*") || node.contains("?") ? "+" : node
    return ["\(prefix)/\(level)/#", "spBv1.0/+/+/\(level)"]
  }

  /// What a message says: one for each tick in it. Nothing when it is of no node that was asked for.
  mutating func read(_ message: UplinkListener.Message) -> [Heard] {
    let isOwn = message.topic.hasPrefix(prefix)
    let rest = isOwn ? message.topic.dropFirst(prefix.count) : Substring(message.topic)
    let levels = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard isOwn || levels.count == 4 && levels[0] == "spBv1.0" else { return [] }
    let name = isOwn ? levels[0] : levels[3]
    guard pattern.matches(name) else { return [] }
    let base = Heard(node: name, kind: .other, topic: message.topic, isRetained: message.isRetained)
    if message.isCut { return [Self.unreadable(base, "it is longer than \(Quantity.size(message.payload.count))")] }
    let id = isOwn ? name : "\(levels[1])/\(name)"
    guard nodes[id] != nil || nodes.count < WatchLimits.nodes else {
      return [Self.unreadable(base, "there are more than \(WatchLimits.nodes) nodes: choose with --node")]
    }
    // Taken out, so that its tables are not copied.
    var node = nodes.removeValue(forKey: id) ?? WatchedNode()
    defer { nodes[id] = node }
    return isOwn
      ? node.read(message.payload, levels: Array(levels.dropFirst()), base)
      : node.readSparkplug(message.payload, verb: levels[2], base)
  }

  static func unreadable(_ base: Heard, _ why: String) -> Heard {
    var heard = base
    heard.kind = .unreadable
    heard.text = why
    return heard
  }
}
