/// What Sparkplug hosts are to know of a node.
public struct SparkplugSettings: Hashable, Sendable {
  /// The group of the node: one level of a topic.
  public var group = "godwit"
  /// The host without which nothing is sent; nil: none.
  public var primaryHost: String?
  /// Texts of the birth under `Properties/`, for example the agent's version.
  public var facts: [Fact] = []

  /// A text about the node.
  public struct Fact: Hashable, Sendable {
    /// What it says.
    public var name: String
    /// Its text.
    public var value: String

    /// A text about the node.
    public init(name: String, value: String) { (self.name, self.value) = (name, value) }
  }

  /// The group `godwit`, no primary host.
  public init() {}
}
