/// The bounds of the latency sensor.
enum LatencyLimits {
  /// Targets of one profile.
  static let targets = 64
  /// Targets of them whose path is traced: up to 30 hops each, with their series.
  static let tracedTargets = 4
  /// Probes a second of all targets together, hops too.
  static let probesPerSecond = 20
  /// Between two probes of one target.
  static let spacingNanoseconds: Int64 = 1_000_000_000
  /// Probes that wait for their answers at the same time, each on a thread.
  static let probesInFlight = 8
  /// Probes kept of a target's window.
  static let windowProbes = 600
  /// Probes kept of a hop's window.
  static let hopWindowProbes = 60
  /// Between two probes along one target's path.
  static let hopIntervalNanoseconds: Int64 = 2_000_000_000
  /// Hops of a path.
  static let hops = 30
  /// Silent hops behind the last that answered, after which a trace begins anew.
  static let silentHops = 4
  /// Different routers told of one hop.
  static let hopAddresses = 4
  /// How long a hop's answer is waited for, milliseconds.
  static let hopTimeoutMilliseconds = 1_000

  /// Bytes of a URL.
  static let urlBytes = 2_048
  /// Bytes of an HTTP answer's body that are read.
  static let httpBodyBytes = 64 * 1024
  /// Bytes read of an HTTP answer in all, with what frames its body.
  static let httpBytes = 256 * 1024
  /// Bytes shown of what another side wrote.
  static let shownBytes = 80
  /// Bytes of a user's name at an MQTT broker, and of a file's line with the password.
  static let mqttLoginBytes = 4_096
  /// Bytes of an MQTT packet that a broker may answer a connection with.
  static let mqttPacketBytes = 1_024

  /// Bytes of a DNS answer over UDP, and over TCP.
  static let dnsPacketBytes = 4_096
  static let dnsStreamBytes = 16 * 1024
  /// Records looked at of a DNS answer.
  static let dnsRecords = 64
  /// Packets that are no answer to the question, after which no more are read.
  static let strayPackets = 64
  /// Name servers of resolv.conf: MAXNS of resolv.conf(5).
  static let nameServers = 3
  /// Bytes of /etc/hosts: lists of what is blocked may be long.
  static let hostsBytes = 4 << 20
  /// Lines read of it.
  static let hostsLines = 10_000
  /// How long the address of a name is kept, seconds.
  static let nameSeconds: ClosedRange<Int64> = 30...300
  /// Between two reads of a file of trusted certificates.
  static let trustNanoseconds: Int64 = 3_600_000_000_000
}
