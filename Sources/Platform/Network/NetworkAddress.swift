import CLinux

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
  /// 4 or 16 bytes, in network order.
  public let bytes: [UInt8]
  /// The interface of a link-local address; 0 when there is none.
  public let scope: UInt32

  /// From 4 or 16 bytes in network order; nil for another number of them.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = bytes
    scope = 0
  }

  /// Reads `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0`; nil for anything else, names too.
  public init?(_ text: String) {
    var endpoint = godwit_endpoint()
    guard godwit_endpoint_parse(text, &endpoint) == 0 else { return nil }
    self.init(endpoint)
  }

  init(_ endpoint: godwit_endpoint) {
    let all = withUnsafeBytes(of: endpoint.address) { Array($0) }
    bytes = endpoint.is_ipv6 != 0 ? all : Array(all[0..<4])
    scope = endpoint.scope
  }

  /// Whether it is one of IPv6.
  public var isIPv6: Bool { bytes.count == 16 }

  func endpoint(port: UInt16) -> godwit_endpoint {
    var endpoint = godwit_endpoint()
    endpoint.is_ipv6 = isIPv6 ? 1 : 0
    withUnsafeMutableBytes(of: &endpoint.address) { $0.copyBytes(from: bytes) }
    endpoint.scope = scope
    endpoint.port = port
    return endpoint
  }

  /// As people write it.
  public var description: String {
    var endpoint = endpoint(port: 0)
    var text = [CChar](repeating: 0, count: 64)
    godwit_endpoint_text(&endpoint, &text)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
