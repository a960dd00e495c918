import ArgumentParser
import Glibc
import Platform
import Profile
import Telemetry
import Uplink

/// `godwit watch`: what a subscriber sees.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Subscribes at the broker and prints what nodes publish, decoded, from any payload, until Ctrl-C.",
    discussion: "Takes broker and credentials from the profile unless --broker names one. Publishes nothing. See docs/uplink.md.")

  @Option(help: "The profile that names the broker (\(ProfileOption.usual)).")
  var profile: String?

  @Option(help: "The broker: mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH.")
  var broker: String?

  @Option(help: "PEM certificates that may have signed the broker's; those of the system unless given.")
  var caFile: String?

  @Option(help: "User name at the broker.")
  var username: String?

  @Option(help: "File whose first line is the password.")
  var passwordFile: String?

  @Option(help: "Only these nodes: a name or a pattern with * and ?.")
  var node: String = "*"

  @Option(help: "First levels of the topics; those of the profile, else godwit/v1.")
  var prefix: String?

  @Option(
    name: .customLong("metric"),
    help: ArgumentHelp("Only values of this metric, series or pattern with * and ?; may be repeated.", valueName: "glob"))
  var metrics: [String] = []

  @Flag(exclusivity: .exclusive, help: "Which form; a line a message unless given.")
  var form: Form?

  enum Form: String, EnumerableFlag {
    case json
    case raw

    static func help(for value: Form) -> ArgumentHelp? {
      switch value {
      case .json: "Prints a JSON object a tick or message, of one shape whatever the payload."
      case .raw: "Prints topics and payloads as they come."
      }
    }
  }

  func validate() throws {
    if let address = try address(), profile == nil {
      if passwordFile != nil, username == nil { throw ValidationError("--password-file: there is no user; add --username NAME") }
      if caFile != nil, address.scheme != .mqtts { throw ValidationError("--ca-file needs TLS; write --broker mqtts://HOST") }
    }
    guard !node.isEmpty, !node.contains(where: { "+#/".contains($0) }) else {
      throw ValidationError("--node '\(node)' is no name of a node, nor a pattern with * and ?")
    }
    if let prefix, prefix.isEmpty || prefix.hasSuffix("/") || prefix.contains(where: { "+#".contains($0) }) {
      throw ValidationError("--prefix '\(prefix)' is no beginning of topics, as godwit/v1")
    }
  }

  func run() throws {
    let place = try WatchPlace(self)
    var listener = try place.connect { true }
    Interruption.hold()
    var output = WatchOutput(self, place.prefix)
    while true {
      do throws(UplinkListener.Failure) {
        for filter in listener.refused { Output.error("godwit: the broker refuses \(filter)") }
        while !Interruption.isPending {
          output.write(try listener.take(waitMilliseconds: WatchLimits.waitMilliseconds))
        }
      } catch {
        Output.error("godwit: \(error)")
      }
      listener = try again(place, listener)
    }
  }

  /// Another connection, tried until it stands or the program shall end.
  private func again(_ place: WatchPlace, _ lost: UplinkListener) throws -> UplinkListener {
    while true {
      var waited = 0
      while !Interruption.isPending, waited < WatchLimits.retryMilliseconds {
        Thread.sleep(milliseconds: WatchLimits.waitMilliseconds)
        waited += WatchLimits.waitMilliseconds
      }
      if Interruption.isPending {
        lost.close()
        throw ExitCode(Interruption.exitStatus)
      }
      if let listener = try? place.connect(while: { !Interruption.isPending }) {
        Output.error("godwit: connected again")
        return listener
      }
    }
  }

  /// What `--broker` says.
  func address() throws -> BrokerAddress? {
    guard let broker else { return nil }
    do throws(SettingError) { return try BrokerAddress(parsing: broker) } catch {
      throw ValidationError("--broker: \(error.what): \(error.remedy)")
    }
  }
}

/// Where to listen, and as whom.
struct WatchPlace {
  let prefix: String
  private var settings = UplinkSettings()
  private var brokers: [UplinkSettings.Broker] = []
  private let filters: [String]

  init(_ command: WatchCommand) throws {
    var uplink: UplinkProfile?
    if command.broker == nil || command.profile != nil {
      let path = command.profile ?? ProfileOption.usual
      uplink = try ProfileFile.load(path).uplink
      guard uplink != nil || command.broker != nil else {
        throw Failure("\(path): it names no broker; name one with --broker URL")
      }
    }
    let addresses = try command.address().map { [$0] } ?? uplink?.brokers ?? []
    brokers = addresses.map { address in
      switch address.scheme {
      case .mqtt: .init(transport: .tcp, host: address.host, port: address.port)
      case .mqtts: .init(transport: .tls, host: address.host, port: address.port)
      case .unix: .init(transport: .unixSocket, host: address.path ?? "", port: 0)
      }
    }
    prefix = command.prefix ?? uplink?.topicPrefix ?? settings.topicPrefix
    filters = WatchDecoder.filters(prefix: prefix, node: command.node)
    if let uplink {
      settings.isVersion5 = uplink.version == .mqtt5
      settings.username = uplink.username
      settings.passwordFile = uplink.passwordFile
      settings.tls.caFile = uplink.caFile
      settings.tls.certificateFile = uplink.certificateFile
      settings.tls.keyFile = uplink.keyFile
      settings.tls.keyPasswordFile = uplink.keyPasswordFile
      settings.tls.verifyServerName = uplink.verifyServerName
    }
    settings.username = command.username ?? settings.username
    settings.passwordFile = command.passwordFile ?? settings.passwordFile
    settings.tls.caFile = command.caFile ?? settings.tls.caFile
    // Another than the agent's: the broker would end its connection.
    settings.clientID = "godwit-watch-\(getpid())"
  }

  /// Connects to the first broker that takes us.
  func connect(while isWanted: () -> Bool) throws -> UplinkListener {
    var problems: [String] = []
    for broker in brokers {
      do throws(UplinkListener.Failure) {
        return try UplinkListener(settings, broker: broker, filters: filters, while: isWanted)
      } catch {
        problems.append("\(error)")
      }
    }
    throw Failure(problems.joined(separator: "; "))
  }
}

/// Where what was heard goes.
private struct WatchOutput {
  private let form: WatchCommand.Form?
  private var decoder: WatchDecoder
  private var text: WatchText

  init(_ command: WatchCommand, _ prefix: String) {
    form = command.form
    decoder = WatchDecoder(prefix: prefix, node: command.node)
    text = WatchText(
      metrics: command.metrics, width: Style.terminalColumns ?? .max,
      style: Style.standardOutput(ProfileEnvironment.current().variables))
  }

  mutating func write(_ messages: [UplinkListener.Message]) {
    guard !messages.isEmpty else { return }
    let received = SystemClock().wallMilliseconds()
    var bytes: [UInt8] = []
    for message in messages {
      let heard = decoder.read(message)
      guard form != .raw else {
        if !heard.isEmpty { bytes += Array((WatchText.raw(message) + "\n").utf8) }
        continue
      }
      for one in heard {
        bytes +=
          form == .json
          ? text.json(one, receivedMilliseconds: received)
          : Array(text.line(one, receivedMilliseconds: received).utf8)
        bytes.append(UInt8(ascii: "\n"))
      }
    }
    if !bytes.isEmpty { Output.write(bytes) }
  }
}
