import Glibc
public import Telemetry

/// The answer to one request, as its datagrams come in. Knows nothing of sockets.
struct NetlinkConversation {
  private static let header = 16
  /// NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN and NLMSG_MIN_TYPE.
  private static let error: UInt16 = 2
  private static let done: UInt16 = 3
  private static let overrun: UInt16 = 4
  private static let firstOfData: UInt16 = 16

  private let name: String
  private let number: UInt32
  private var bytes = 0

  /// The answer to the request of that number.
  init(_ name: String, number: UInt32) {
    self.name = name
    self.number = number
  }

  /// Takes a datagram: gives the bodies of its messages to `body` and says whether the answer is whole. Messages of another number are
  /// answers to what nobody waits for any more.
  ///
  /// - Throws: `absent` and `io` as the kernel answers; `malformed` for a message that is cut, and past `PlatformLimits.netlinkAnswerBytes`;
  ///   or what `body` throws.
  mutating func take(
    _ datagram: NetlinkBytes, _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) -> Bool {
    bytes += datagram.count
    guard bytes <= PlatformLimits.netlinkAnswerBytes else {
      throw malformed("more than \(PlatformLimits.netlinkAnswerBytes) bytes")
    }
    var offset = 0
    while offset < datagram.count {
      guard let length = datagram.unsigned32(at: offset).map({ Int($0) }), length >= Self.header,
        let message = datagram.part(from: offset, count: length), let content = message.part(from: Self.header),
        let type = message.unsigned16(at: 4)
      else { throw malformed("a message is cut") }
      offset += (length + 3) & ~3
      guard message.unsigned32(at: 8) == number else { continue }
      switch type {
      case Self.error:
        // 0 tells that all went well.
        guard let code = content.unsigned32() else { throw malformed("an error without its number") }
        if code != 0 { throw failure(code) }
        return true
      case Self.done:
        // With an error when the list broke off.
        if let code = content.unsigned32(), Int32(bitPattern: code) < 0 { throw failure(code) }
        return true
      case Self.overrun: throw .io(path: "netlink \(name)", errno: ENOBUFS)
      case Self.firstOfData...: try body(content)
      default: continue
      }
    }
    return false
  }

  private func failure(_ code: UInt32) -> SensorError {
    NetlinkConversation.failure(name, errno: 0 &- Int32(bitPattern: code))
  }

  /// What an error number of the kernel means.
  static func failure(_ name: String, errno code: Int32) -> SensorError {
    switch code {
    // No such family, device or protocol in this kernel.
    case ENOENT, ENODEV, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT: .absent("netlink \(name)")
    default: .io(path: "netlink \(name)", errno: code)
    }
  }

  private func malformed(_ what: String) -> SensorError { .malformed(path: "netlink \(name)", what: what) }
}

extension HostCalls {
  /// The number of a generic netlink family, `nl80211`, which holds until its module is unloaded. Asking may load the module.
  ///
  /// - Throws: `absent` when this kernel has none of that name.
  public func netlinkFamily(_ name: String) throws(SensorError) -> UInt16 {
    var number: UInt16?
    let request = NetlinkRequest.family(name)
    try netlink(request) { (content) throws(SensorError) in
      // CTRL_ATTR_FAMILY_ID
      for (type, value) in content.attributes(from: 4) where type == 1 { number = value.unsigned16() }
    }
    guard let number else { throw .malformed(path: "netlink \(request.name)", what: "no number in the answer") }
    return number
  }
}
