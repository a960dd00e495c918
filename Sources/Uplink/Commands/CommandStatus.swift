import Telemetry

/// How a command stands, for the retained topic `cmd/<id>/status`.
struct CommandStatus: Hashable {
  enum State: String {
    /// It was taken and waits.
    case initial = "init"
    case executing
    case successful
    case failed
  }

  let id: String
  /// Orders the messages of all ids.
  let serial: UInt64
  let state: State
  let json: [UInt8]
  /// Not so when an earlier status of the id must stay: that of a command that came twice.
  let isRetained: Bool

  /// `{"id":…,"command":…,"state":…,"t":…,"issued":…,"reason":…,"result":…}`; the last three only where there are any.
  init(
    id: String, serial: UInt64, state: State, command: String?, wall: Int64, issued: Int64?, reason: String? = nil,
    result: [UInt8]? = nil, isRetained: Bool = true
  ) {
    self.id = id
    self.serial = serial
    self.state = state
    self.isRetained = isRetained
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("id", id)
    writer.member("command", command)
    writer.member("state", state.rawValue)
    writer.member("t", WallTime.text(wall))
    if let issued { writer.member("issued", WallTime.text(issued)) }
    if let reason { writer.member("reason", reason) }
    if let result {
      writer.key("result")
      writer.raw(result)
    }
    writer.endObject()
    json = writer.bytes
  }
}

/// What the uplink tells the agent of commands.
public enum CommandNotice: Sendable {
  /// To be done now; the answer is put into the uplink as `UplinkInput.command`.
  case run(CommandRequest)
  /// How one ended or why it was refused, for an event.
  case record(CommandRecord)
  /// What must outlive a restart: given to `Uplink.start` then.
  case remember(String)
}

/// How a command ended.
public struct CommandRecord: Sendable, Hashable {
  /// Its id.
  public let id: String
  /// What it wanted; nil when that could not be read.
  public let command: String?
  /// Its arguments as a JSON object.
  public let arguments: [UInt8]
  /// Whether it was done.
  public let isSuccessful: Bool
  /// Why it was not.
  public let reason: String?

  /// Tells of an end.
  public init(id: String, command: String?, arguments: [UInt8], isSuccessful: Bool, reason: String?) {
    self.id = id
    self.command = command
    self.arguments = arguments
    self.isSuccessful = isSuccessful
    self.reason = reason
  }
}

/// What became of a command that the agent was told to run.
public struct CommandAnswer: Sendable {
  /// How far it is.
  public enum Outcome: Sendable {
    case executing
    /// With more fields as a JSON object.
    case successful([UInt8])
    /// With the reason.
    case failed(String)
  }

  /// Its id.
  public let id: String
  /// How far it is.
  public let outcome: Outcome

  /// Makes an answer.
  public init(id: String, _ outcome: Outcome) {
    self.id = id
    self.outcome = outcome
  }
}
