import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit identity`: what the agent tells of this machine.
struct IdentityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identity", abstract: "Shows the facts of this machine, or a recorded tree, as the agent would send them.",
    discussion: """
      What is private is treated as the profile says under 'identity', by default as a digest (docs/identity.md). Serial numbers and \
      memory modules can be read by root only: the agent, which is another user, may know less than this command.
      """)

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Option(help: "The profile that has the settings; \(ProfileOption.usual) where it is there, else the defaults.")
  var profile: String?

  @Flag(help: "Prints the JSON object that stands under 'system' in the message 'info'.")
  var json = false

  func validate() throws {
    try MachineRoot.validate(root)
  }

  func run() throws {
    let usual = Host().exists(ProfileOption.usual) ? ProfileOption.usual : nil
    let loaded = try (profile ?? usual).map(ProfileFile.load)
    let host = Host(root: root)
    let privacy: FactPrivacy
    if let loaded {
      guard let identity = loaded.identity else {
        throw Failure("the profile has 'identity: false': the agent sends nothing of this")
      }
      privacy = FactPrivacy(identity.privateFacts, keyFile: identity.keyFile, told: loaded.told, host: host)
    } else {
      privacy = FactPrivacy(.hash, keyFile: nil, told: [], host: host)
    }
    if privacy.lacksKey {
      let source = loaded?.identity?.keyFile ?? "/etc/machine-id"
      Output.error("godwit: \(source) gives no key for digests: what is private is left out (docs/identity.md)")
    }
    let facts = SystemFacts.json(host, privacy: privacy, packages: PackageHistory())
    Output.write(json ? facts + [0x0A] : Array(Self.text(facts, width: Style.terminalColumns ?? .max).utf8))
  }

  /// A line a fact, by the path of its keys: `cpu.model`, `disks.0.name`; a fact that is longer than a line goes on below its beginning.
  static func text(_ json: [UInt8], width: Int = .max) -> String {
    var table = Table(.left, .left)
    if let facts = try? JSONValue(parsing: json) { add(facts, "", to: &table) }
    return table.lines(width: width).map { $0 + "\n" }.joined()
  }

  private static func add(_ value: JSONValue, _ path: String, to table: inout Table) {
    switch value {
    case .object(let members):
      for member in members { add(member.value, path.isEmpty ? member.key : "\(path).\(member.key)", to: &table) }
    case .array(let elements):
      for (index, element) in elements.enumerated() { add(element, "\(path).\(index)", to: &table) }
    case .string(let text): table.add(Span(path), Span(text))
    case .bool(let isSo): table.add(Span(path), Span(isSo ? "yes" : "no"))
    case .number(let number): table.add(Span(path), Span(shown(number, path)))
    case .null: break
    }
  }

  /// Sizes and frequencies as people say them.
  private static func shown(_ number: Double, _ path: String) -> String {
    if path.hasSuffix("bytes") { return Reading.text(number, unit: "B") }
    if path.hasSuffix("hertz") { return Reading.text(number, unit: "Hz") }
    return Quantity.fixed(number, decimals: 0)
  }
}
