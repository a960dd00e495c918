/// The topics of an edge node: `spBv1.0/<group>/<verb>/<node>` (3.0, chapter 4).
struct SparkplugTopics: Hashable, Sendable {
  let group: String
  let node: String
  /// The host application without which nothing is sent; nil: data goes out at once.
  let primaryHost: String?

  /// Nil when an id is empty, holds `+`, `/`, `#` or a control character, or when the group is `STATE`, which is a topic of its own.
  init?(group: String, node: String, primaryHost: String? = nil) {
    guard SparkplugTopics.isID(group), SparkplugTopics.isID(node), group != "STATE" else { return nil }
    if let primaryHost, !SparkplugTopics.isID(primaryHost) { return nil }
    self.group = group
    self.node = node
    self.primaryHost = primaryHost
  }

  var birth: String { topic("NBIRTH") }
  var death: String { topic("NDEATH") }
  var data: String { topic("NDATA") }
  var command: String { topic("NCMD") }
  var hostState: String? { primaryHost.map { "spBv1.0/STATE/\($0)" } }

  private func topic(_ verb: String) -> String { "spBv1.0/\(group)/\(verb)/\(node)" }

  static func isID(_ text: String) -> Bool {
    !text.isEmpty
      && !text.unicodeScalars.contains { "+/#".unicodeScalars.contains($0) || $0.properties.generalCategory == .control }
  }
}
