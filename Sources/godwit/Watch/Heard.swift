/// What a message says, or one tick of it, in one shape for all payloads.
struct Heard {
  enum Kind: String {
    /// A tick as it was taken.
    case live
    /// A tick that could not be delivered then.
    case backlog
    /// All metrics of a Sparkplug node.
    case birth
    /// The end of a Sparkplug node's session.
    case death
    case state
    case info
    case alert
    case event
    /// Names of series.
    case catalogue
    /// A command, or what became of one.
    case command
    /// A message that cannot be read, and why.
    case unreadable
    /// A topic of the node that is none of the above.
    case other
  }

  struct Value {
    let key: String
    /// Not finite: none that can be expressed.
    let value: Double
  }

  var node: String
  /// How the message is written; nil when it is not one of a payload that carries ticks.
  var payload: String?
  var kind: Kind
  var topic: String
  var isRetained: Bool
  /// When the tick was taken, Unix milliseconds, as the message says.
  var wallMilliseconds: Int64?
  var boot: String?
  var sequence: UInt64?
  var isSynced: Bool?
  /// The place of a Sparkplug message in its node's order, 0…255.
  var sparkplugSequence: UInt64?
  /// The values that the message carries.
  var values: [Value] = []
  /// What it says, for people.
  var text = ""
  /// JSON as it came, on one line.
  var json: [UInt8]?

  /// Whether it carries values.
  var isTick: Bool { [.live, .backlog, .birth].contains(kind) }
}
