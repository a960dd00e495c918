public import Telemetry

/// A command as it came in: `{"command":…,"t":…,"args":{…},"expires_in":…}` on `cmd/<id>`.
public struct CommandRequest: Sendable, Hashable {
  /// How long a command is good for.
  public enum Expiry: Sendable, Hashable {
    /// Unix milliseconds.
    case at(Int64)
    /// Whenever it comes.
    case never
  }

  /// The last level of its topic.
  public let id: String
  /// What is to be done.
  public let name: CommandName
  /// More of what is to be done; an object.
  public let arguments: JSONValue
  /// When it was given: Unix milliseconds. A command with the id of an earlier one is another one when it was given later.
  public let issuedMilliseconds: Int64
  /// How long it is good for.
  public let expiry: Expiry

  /// Makes a command.
  public init(id: String, name: CommandName, arguments: JSONValue, issuedMilliseconds: Int64, expiry: Expiry) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.issuedMilliseconds = issuedMilliseconds
    self.expiry = expiry
  }

  /// Milliseconds that it is good for; nil when for ever.
  var lifetime: Int64? {
    if case .at(let end) = expiry { return end - issuedMilliseconds }
    return nil
  }
}

/// Why a payload is no command.
struct CommandFault: Error, Hashable {
  let reason: String
  /// What it wanted, as far as that could be read.
  var command: String?

  init(_ reason: String, command: String? = nil) {
    self.reason = reason
    self.command = command
  }
}

extension CommandRequest {
  /// Whether text may be an id: letters, digits, `-`, `_` and `.`, at most 64.
  static func isID(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= UplinkLimits.Commands.idBytes
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Reads a payload.
  init(id: String, payload: [UInt8]) throws(CommandFault) {
    let limits = JSONReader.Limits(
      bytes: UplinkLimits.Commands.payloadBytes, depth: UplinkLimits.Commands.payloadDepth,
      values: UplinkLimits.Commands.payloadValues)
    let json: JSONValue
    do throws(JSONError) { json = try JSONReader.read(payload, limits: limits) } catch {
      throw CommandFault("it is not the JSON of a command: \(error)")
    }
    guard case .object(let members) = json else { throw CommandFault("it is JSON, but no object") }
    guard let word = json["command"]?.text else { throw CommandFault("it has no text 'command'") }
    // Told back to whoever reads the status: as far as a word goes.
    let shown = String(word.prefix(UplinkLimits.Commands.idBytes))
    guard let name = CommandName(rawValue: word) else { throw CommandFault("there is no command '\(shown)'", command: shown) }
    func fault(_ reason: String) -> CommandFault { CommandFault(reason, command: shown) }
    let keys = ["command", "args", "t", "expires", "expires_in"]
    if let odd = members.first(where: { !keys.contains($0.key) }) {
      throw fault("it has a member '\(String(odd.key.prefix(UplinkLimits.Commands.idBytes)))' that no command has")
    }
    let arguments = json["args"] ?? .object([])
    guard case .object = arguments else { throw fault("'args' is no object") }
    guard let text = json["t"]?.text, let issued = WallTime.milliseconds(text) else {
      throw fault("it does not say when it was given: 't', as 2026-11-20T22:40:01Z")
    }
    self.init(
      id: id, name: name, arguments: arguments, issuedMilliseconds: issued,
      expiry: try Self.expiry(json, issued: issued, command: shown))
  }

  private static func expiry(_ json: JSONValue, issued: Int64, command: String) throws(CommandFault) -> Expiry {
    let end: Int64
    switch (json["expires"], json["expires_in"]) {
    case (nil, nil): end = issued + UplinkLimits.Commands.lifetimeSeconds * 1_000
    case (.string("never"), nil): return .never
    case (.string(let text), nil):
      guard let time = WallTime.milliseconds(text) else {
        throw CommandFault("'expires' is neither a time nor 'never'", command: command)
      }
      end = time
    case (nil, .number(let seconds)) where seconds > 0 && seconds <= Double(UplinkLimits.Commands.longestLifetimeSeconds):
      end = issued + Int64(seconds * 1_000)
    default:
      throw CommandFault(
        "'expires' must be a time or 'never', or 'expires_in' a number of seconds up to "
          + "\(UplinkLimits.Commands.longestLifetimeSeconds)", command: command)
    }
    guard end > issued, end - issued <= UplinkLimits.Commands.longestLifetimeSeconds * 1_000 else {
      throw CommandFault(
        "it expires before it was given, or more than \(UplinkLimits.Commands.longestLifetimeSeconds) s later", command: command)
    }
    return .at(end)
  }
}
