/// What Home Assistant is to know of a node.
///
/// Source of names and rules: home-assistant.io/integrations/mqtt, "MQTT discovery".
public struct HomeAssistantSettings: Hashable, Sendable {
  /// A command that becomes a button.
  public struct Command: Hashable, Sendable {
    /// Its name; unique.
    public var name: String
    /// Where a press is published, without wildcards.
    public var topic: String
    /// What is published.
    public var payload: String
    /// A Jinja template that Home Assistant renders with `value` = the payload at each press, for a payload that must differ from
    /// press to press; nil: the payload as it is.
    public var template: String?

    /// Describes a button.
    public init(name: String, topic: String, payload: String, template: String? = nil) {
      self.name = name
      self.topic = topic
      self.payload = payload
      self.template = template
    }
  }

  /// The first level of the discovery topics.
  public var discoveryPrefix = "homeassistant"
  /// Where Home Assistant says `online` once it has started. It is no part of the discovery prefix.
  public var birthTopic = "homeassistant/status"
  /// First levels of the node's own topics.
  public var topicPrefix = "godwit/v1"
  /// The node.
  public var node = "node"
  /// The device's name for people; nil: the node.
  public var name: String?
  /// Who made the device, if known.
  public var manufacturer: String?
  /// Which model it is, if known.
  public var model: String?
  /// Its serial number, if it may be told.
  public var serialNumber: String?
  /// The agent's version.
  public var version = ""
  /// Milliseconds between state messages.
  public var everyMilliseconds = 10_000
  /// The sensors of the profile by the first part of their metrics' names, with the milliseconds between their samples. Series of
  /// other families are taken away.
  public var families: [String: Int] = [:]
  /// The rules whose state is published, by name.
  public var rules: [String] = []
  /// The commands that are allowed.
  public var commands: [Command] = []

  /// A node without sensors.
  public init() {}

  /// A topic of this node.
  func topic(_ level: String) -> String { "\(topicPrefix)/\(node)/\(level)" }

  /// Where a part of the device is announced: `<prefix>/device/<node>/<part>/config`. The node is a level of its own, so that an
  /// access list can hold a node to its own topics.
  func discoveryTopic(_ part: String) -> String {
    "\(discoveryPrefix)/device/\(HomeAssistantNames.level(node))/\(part)/config"
  }

  /// Where the values of a part's series are published.
  func stateTopic(_ part: String) -> String { topic("homeassistant/\(part)") }
}

/// A message for Home Assistant.
public struct HomeAssistantMessage: Hashable, Sendable {
  /// The full topic.
  public let topic: String
  /// JSON; empty to delete a retained message.
  public let payload: [UInt8]
  /// 0 or 1.
  public let qualityOfService: Int
  /// Whether the broker keeps it.
  public let retain: Bool
}
