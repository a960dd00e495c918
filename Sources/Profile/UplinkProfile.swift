public import Telemetry

/// Where the node reports.
public struct UplinkProfile: Sendable, Equatable {
  /// The protocol version spoken with the broker.
  public enum Version: String, Sendable, CaseIterable {
    case mqtt5 = "5"
    case mqtt311 = "3.1.1"
  }

  /// How ticks are written.
  public enum Payload: String, Sendable, CaseIterable {
    case json
    case packed
    case homeassistant
    case sparkplug
  }

  /// How the node shows itself to Home Assistant.
  public struct HomeAssistant: Sendable, Equatable {
    /// First level of the discovery topics.
    public var prefix: String
    /// Between two messages of values.
    public var everyMilliseconds: Int
  }

  /// How the node shows itself to Sparkplug hosts.
  public struct Sparkplug: Sendable, Equatable {
    /// The group of the node.
    public var group: String
    /// The host without which nothing is sent; nil: none.
    public var primaryHost: String?
  }

  /// Which ticks of a backlog go first.
  public enum DrainOrder: String, Sendable, CaseIterable {
    case oldest
    case newest
  }

  /// What the node may be told to do from outside; none: it does not listen.
  public var commands: [CommandName]
  /// The brokers, by preference; never empty.
  public var brokers: [BrokerAddress]
  /// The protocol version.
  public var version: Version
  /// Unique at the broker.
  public var clientID: String
  /// For brokers that ask for one.
  public var username: String?
  /// A file whose first line is the password; absolute, a systemd credential is resolved already.
  public var passwordFile: String?
  /// PEM certificates that may have signed the broker's; nil: those of the system.
  public var caFile: String?
  /// PEM certificate that the node shows.
  public var certificateFile: String?
  /// PEM key of that certificate.
  public var keyFile: String?
  /// A file whose first line is that key's password; absolute, a systemd credential is resolved already.
  public var keyPasswordFile: String?
  /// Whether the broker's certificate must name the host.
  public var verifyServerName: Bool
  /// Between pings: 5…65 535.
  public var keepAliveSeconds: Int
  /// For which the broker keeps the session of a node that is away.
  public var sessionExpirySeconds: Int
  /// After which the broker may drop a live tick; nil: never.
  public var messageExpirySeconds: Int?
  /// Of ticks, alerts and events: 0 or 1.
  public var qos: Int
  /// Before `/<node>/…`; no leading or trailing slash.
  public var topicPrefix: String
  /// Never empty.
  public var payloads: [Payload]
  /// Nil unless among the payloads.
  public var homeAssistant: HomeAssistant?
  /// Nil unless among the payloads.
  public var sparkplug: Sparkplug?
  /// How fast a backlog is sent; `Int.max` is as fast as it goes.
  public var drainBytesPerSecond: Int
  /// Which ticks of a backlog go first.
  public var drainOrder: DrainOrder
  /// Messages that may wait for their acknowledgement.
  public var window: Int
  /// The first wait after a lost connection.
  public var backoffMinimumMilliseconds: Int
  /// The longest wait; waits double up to it and are jittered in full.
  public var backoffMaximumMilliseconds: Int
}

/// Where the broker listens.
public struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
  /// How it is reached.
  public enum Scheme: String, Sendable, CaseIterable {
    /// TCP.
    case mqtt
    /// TLS.
    case mqtts
    /// A Unix socket.
    case unix
  }

  /// How it is reached.
  public var scheme: Scheme
  /// A name or address, IPv6 without brackets; empty for `unix`.
  public var host: String
  /// 1…65 535; 0 for `unix`.
  public var port: Int
  /// The socket; nil save for `unix`.
  public var path: String?

  /// Names a broker.
  public init(scheme: Scheme, host: String, port: Int, path: String? = nil) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
  }

  /// As it would be written in a profile, with its port.
  public var description: String {
    if let path { return "unix://\(path)" }
    return "\(scheme.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}
