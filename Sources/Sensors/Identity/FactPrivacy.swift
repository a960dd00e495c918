public import Platform
public import Telemetry

/// Makes private facts fit to be told.
public struct FactPrivacy: Sendable {
  /// What stands before a digest.
  static let mark = "hash:"
  /// Bytes of a digest that are kept: 64 bits tell the things of a fleet apart.
  static let digestBytes = 8
  /// A key file that is longer has no key.
  private static let keyBytes = 4_096

  private let choice: PrivateFacts
  private let key: [UInt8]

  /// The choice, with the key for its digests: the first line of `keyFile`, else the machine id.
  ///
  /// The machine id is a secret of the device (machine-id(5)), so nobody can find a MAC address by trying all; where it stands in what the
  /// agent tells of itself, `told`, it is none, and private facts are left out for want of a key.
  public init(_ choice: PrivateFacts, keyFile: String?, told: [String], host: Host) {
    self.choice = choice
    let secret: String? =
      if let keyFile { try? host.file(keyFile, limit: Self.keyBytes).line() } else {
        Self.machineID(host).flatMap { id in told.contains { Self.holds($0, id) } ? nil : id }
      }
    key = secret.map { Array($0.utf8) } ?? []
  }

  /// 32 digits; during the first boot another word stands there (machine-id(5)).
  static func machineID(_ host: Host) -> String? {
    let id = host.line("/etc/machine-id") ?? host.line("/var/lib/dbus/machine-id")
    return id?.utf8.count == 32 ? id : nil
  }

  /// Whether a machine id stands in a text, in capitals or with the dashes of a UUID too.
  private static func holds(_ text: String, _ id: String) -> Bool {
    let plain = Array(text.lowercased().utf8.filter { $0 != UInt8(ascii: "-") })
    let wanted = Array(id.lowercased().utf8)
    guard plain.count >= wanted.count else { return false }
    return (0...plain.count - wanted.count).contains { plain[$0...].starts(with: wanted) }
  }

  /// Whether digests are wanted and there is no key for them.
  public var lacksKey: Bool { choice == .hash && shown("") == nil }

  /// A private fact as it may be told; nil: not at all.
  func shown(_ fact: String?) -> String? {
    guard let fact else { return nil }
    switch choice {
    case .keep: return fact
    case .omit: return nil
    case .hash:
      guard !key.isEmpty else { return nil }
      var text = Self.mark
      for byte in KeyedDigest.bytes(of: fact, key: key).prefix(Self.digestBytes) {
        text += (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
      }
      return text
    }
  }
}
