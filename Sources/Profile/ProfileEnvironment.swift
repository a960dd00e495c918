@preconcurrency import Glibc

/// What a profile takes from outside of its files.
public struct ProfileEnvironment: Sendable {
  /// For `${NAME}`.
  public var variables: [String: String]
  /// For `node: auto`.
  public var hostName: String
  /// The second choice for `node: auto`; see machine-id(5).
  public var machineID: String?
  /// Where systemd put the unit's credentials, `$CREDENTIALS_DIRECTORY`; see systemd.exec(5).
  public var credentialsDirectory: String?
  /// Where chips and boards are described.
  public var hardware: HardwareFolders

  /// That, or where systemd puts the credentials of the agent's unit: for a profile that is checked outside of it.
  var credentials: String { credentialsDirectory ?? "/run/credentials/godwitd.service" }

  /// Describes an environment.
  public init(
    variables: [String: String] = [:], hostName: String, machineID: String? = nil, credentialsDirectory: String? = nil,
    hardware: HardwareFolders = HardwareFolders([])
  ) {
    self.variables = variables
    self.hostName = hostName
    self.machineID = machineID
    self.credentialsDirectory = credentialsDirectory
    self.hardware = hardware
  }

  /// That of this process on this machine.
  public static func current() -> ProfileEnvironment {
    let variables = processVariables()
    return ProfileEnvironment(
      variables: variables, hostName: systemHostName(), machineID: systemMachineID(),
      credentialsDirectory: variables["CREDENTIALS_DIRECTORY"],
      hardware: .current(variables: variables))
  }

  /// Unsafe because the C library owns the list; it is copied, and the agent never changes it.
  private static func processVariables() -> [String: String] {
    var variables: [String: String] = [:]
    // Optional or not, as the C library's header is imported.
    let first: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = environ
    guard var next = first else { return variables }
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let sign = text.firstIndex(of: "=") { variables[String(text[..<sign])] = String(text[text.index(after: sign)...]) }
      next += 1
    }
    return variables
  }

  private static func systemHostName() -> String {
    // HOST_NAME_MAX is 64 on Linux; gethostname(2).
    var bytes = [CChar](repeating: 0, count: 65)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func systemMachineID() -> String? {
    guard case .bytes(let bytes) = ProfileFiles.read("/etc/machine-id", limit: ProfileLimits.machineIDBytes) else { return nil }
    let text = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    // machine-id(5): "uninitialized" before the first boot is over.
    return text.utf8.count == 32 ? text : nil
  }
}
