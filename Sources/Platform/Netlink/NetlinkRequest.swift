/// A question to the kernel by netlink.
public struct NetlinkRequest: Sendable {
  /// A netlink family (include/uapi/linux/netlink.h).
  public enum Family: Int32, Sendable {
    /// NETLINK_ROUTE: interfaces, addresses, routes.
    case route = 0
    /// NETLINK_SOCK_DIAG: sockets and their figures.
    case socketDiagnostics = 4
    /// NETLINK_NETFILTER: rules of the firewall.
    case netfilter = 12
    /// NETLINK_GENERIC: families with names, nl80211 for one.
    case generic = 16
  }

  /// What it is called in messages and recordings: `nl80211.interfaces`.
  public let name: String
  let family: Family
  let type: UInt16
  let isDump: Bool
  let body: [UInt8]

  /// States a question.
  ///
  /// - Parameters:
  ///   - type: of the message.
  ///   - isDump: whether a list is asked for.
  ///   - body: what follows the header of the message.
  public init(_ name: String, family: Family, type: UInt16, isDump: Bool, body: [UInt8]) {
    self.name = name
    self.family = family
    self.type = type
    self.isDump = isDump
    self.body = body
  }

  /// A question to a generic family: its header is command, version 1 and two bytes that are kept free (genetlink.h).
  public static func generic(
    _ name: String, family: UInt16, command: UInt8, isDump: Bool = true, attributes: [UInt8] = []
  ) -> NetlinkRequest {
    NetlinkRequest(name, family: .generic, type: family, isDump: isDump, body: [command, 1, 0, 0] + attributes)
  }

  /// Which number the generic family of a name has now: GENL_ID_CTRL, CTRL_CMD_GETFAMILY.
  static func family(_ name: String) -> NetlinkRequest {
    generic("family.\(name)", family: 16, command: 3, isDump: false, attributes: attribute(2, Array(name.utf8) + [0]))
  }

  /// One attribute with its header and padding, of at most 65,531 bytes.
  public static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    let length = UInt16(clamping: value.count + 4)
    return bytes(length) + bytes(type) + value + [UInt8](repeating: 0, count: -value.count & 3)
  }

  /// One attribute of four bytes.
  public static func attribute(_ type: UInt16, _ value: UInt32) -> [UInt8] { attribute(type, bytes(value)) }

  /// The message (include/uapi/linux/netlink.h):
  ///
  /// ```
  ///  0       4       6       8         12      16
  /// ┌───────┬───────┬───────┬─────────┬───────┬──────┐
  /// │length │ type  │ flags │ number  │ port  │ body │
  /// └───────┴───────┴───────┴─────────┴───────┴──────┘
  /// ```
  func message(number: UInt32) -> [UInt8] {
    // NLM_F_REQUEST with NLM_F_DUMP, or with NLM_F_ACK: so that every answer has an end.
    let flags: UInt16 = isDump ? 0x301 : 0x005
    let header = Self.bytes(UInt32(16 + body.count)) + Self.bytes(type) + Self.bytes(flags) + Self.bytes(number)
    return header + Self.bytes(UInt32(0)) + body
  }

  /// A number as it stands in a message: in the host's byte order.
  public static func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
}
