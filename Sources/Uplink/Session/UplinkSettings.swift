public import Telemetry

/// Where and how to deliver.
public struct UplinkSettings: Hashable, Sendable {
  /// How the broker is reached.
  public enum Transport: String, Hashable, Sendable {
    case tcp
    case tls
    case unixSocket
  }

  /// How ticks are written.
  public enum Payload: String, Hashable, Sendable, CaseIterable {
    case json
    case packed
    case sparkplug

    /// The name under which the buffer keeps how far the payload was delivered.
    public var sink: String {
      switch self {
      case .json: "mqtt"
      case .packed: "packed"
      case .sparkplug: "sparkplug"
      }
    }
  }

  /// TLS files and checks.
  public struct TLS: Hashable, Sendable {
    /// PEM file of the certificate authorities; nil: those of the system.
    public var caFile: String?
    /// PEM file of the client's certificate.
    public var certificateFile: String?
    /// PEM file of its key.
    public var keyFile: String?
    /// File with the password of that key; read at each connect.
    public var keyPasswordFile: String?
    /// Whether the broker's name must be in its certificate.
    public var verifyServerName = true

    /// The system's authorities, no client certificate.
    public init() {}
  }

  /// A broker's address.
  public struct Broker: Hashable, Sendable {
    /// How the broker is reached.
    public var transport: Transport = .tcp
    /// Host name or address; the path for a Unix socket.
    public var host = "localhost"
    /// TCP port.
    public var port = 1883

    /// Names a broker.
    public init(transport: Transport = .tcp, host: String = "localhost", port: Int = 1883) {
      (self.transport, self.host, self.port) = (transport, host, port)
    }

    /// The broker as people know it.
    public var address: String {
      switch transport {
      case .tcp: "mqtt://\(host):\(port)"
      case .tls: "mqtts://\(host):\(port)"
      case .unixSocket: "unix:\(host)"
      }
    }
  }

  /// The brokers, by preference; never empty.
  public var brokers = [Broker()]
  /// Whether MQTT 5 is spoken, else 3.1.1.
  public var isVersion5 = true
  /// The client's id at the broker; the session is kept under it.
  public var clientID = "godwit"
  /// User name, if the broker wants one.
  public var username: String?
  /// File with the password; read at each connect, so a changed one is taken up.
  public var passwordFile: String?
  /// TLS files, for `tls`.
  public var tls = TLS()
  /// Seconds between signs of life.
  public var keepAliveSeconds = 60
  /// Seconds for which the broker keeps the session of a node that is away (MQTT 5).
  public var sessionExpirySeconds = 86_400
  /// Seconds after which the broker may drop a live tick that a subscriber has not taken (MQTT 5); nil: never.
  public var messageExpirySeconds: Int?
  /// 0 or 1.
  public var qualityOfService = 1
  /// How ticks are written; each payload is delivered on its own account. Changing them takes a restart.
  public var payloads: [Payload] = [.json]
  /// Whether the newest ticks of the backlog go first.
  public var drainsNewestFirst = false
  /// What Home Assistant is to know; nil: nothing is sent to it.
  public var homeAssistant: HomeAssistantSettings?
  /// What Sparkplug hosts are to know; then this connection carries nothing else.
  public var sparkplug: SparkplugSettings?
  /// First levels of all topics.
  public var topicPrefix = "godwit/v1"
  /// The node's level.
  public var node = "node"
  /// Messages that may wait for acknowledgement.
  public var window = 20
  /// Bytes a second for the backlog; `Int.max` is no limit.
  public var drainBytesPerSecond = 1 << 20
  /// The back-off's first bound.
  public var backoffMinimumMilliseconds = 1_000
  /// The back-off's last bound.
  public var backoffMaximumMilliseconds = 120_000

  /// The sink whose position also says which events were delivered.
  public static let eventSink = "mqtt"
  /// The same of this connection; with Sparkplug, which sends no events, the number of its last death certificate stands there.
  public var eventSink: String { sparkplug == nil ? Self.eventSink : Payload.sparkplug.sink }

  /// What the node may be told to do from outside; none: it does not listen.
  public var commands: Set<CommandName> = []

  /// A broker on this machine.
  public init() {}

  /// A topic of this node.
  public func topic(_ level: String) -> String { "\(topicPrefix)/\(node)/\(level)" }
}
