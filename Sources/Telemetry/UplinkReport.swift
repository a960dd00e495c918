/// How delivery stands: the answer of the agent's control socket to `uplink`, and what `godwit uplink --json` prints.
/// The keys are stable within a version and described in `docs/uplink.md`.
public struct UplinkReport: Sendable, Equatable, Codable {
  /// The version of this form.
  public static let currentVersion = 1

  /// The version of the report's form; a new one when a key changes its meaning or goes, not when one is added.
  public var version = currentVersion
  /// Who made it.
  public var source: StatusReport.Source
  /// The node's name.
  public var node: String
  /// When the report was made, wall time; nil from a buffer.
  public var time: String?
  /// The connections; none when the profile names no broker.
  public var connections: [Connection] = []

  /// A report without connections.
  public init(source: StatusReport.Source, node: String, time: String?) {
    (self.source, self.node, self.time) = (source, node, time)
  }

  /// One connection to a broker.
  public struct Connection: Sendable, Equatable, Codable {
    /// `mqtt`, which all payloads but Sparkplug share, or `sparkplug`.
    public var name: String
    /// The broker's address, without credentials; nil from a buffer, like all that only the agent knows.
    public var broker: String?
    /// `connecting`, `connected`, `waiting` (for the next attempt) or `stopped`.
    public var state: String?
    /// Since when it is so, wall time.
    public var since: String?
    /// Attempts to connect since the last success.
    public var attempts: UInt64 = 0
    /// Connections that were accepted since the agent's start.
    public var accepted: UInt64 = 0
    /// From a message to its acknowledgement, milliseconds, the last one.
    public var roundTripMilliseconds: Double?
    /// What went wrong last.
    public var lastError: String?
    /// Messages that the broker refused since the agent's start.
    public var refusals: UInt64 = 0
    /// Why it refused the last of them; nil once it took a tick again.
    public var refusal: String?
    /// Bytes of messages sent since the agent's start.
    public var sentBytes: UInt64 = 0
    /// Seconds that the rates are taken over; nil when that is too short.
    public var windowSeconds: Double?
    /// Bytes sent a second.
    public var bytesPerSecond: Double?
    /// The payloads that carry ticks.
    public var payloads: [Payload] = []

    /// A connection of which nothing is known.
    public init(name: String) { self.name = name }

    private enum CodingKeys: String, CodingKey {
      case name, broker, state, since, attempts, accepted
      case roundTripMilliseconds = "rtt_ms"
      case lastError = "last_error"
      case refusals, refusal
      case sentBytes = "sent_bytes"
      case windowSeconds = "window_s"
      case bytesPerSecond = "bytes_per_s"
      case payloads
    }
  }

  /// One payload, delivered on its own account.
  public struct Payload: Sendable, Equatable, Codable {
    /// As the profile names it.
    public var name: String
    /// Ticks that wait for delivery, in flight included.
    public var owed: UInt64 = 0
    /// Ticks sent and not acknowledged.
    public var inFlight: UInt64 = 0
    /// How many ranges of sequence numbers the owed ticks lie in.
    public var owedRanges: UInt64 = 0
    /// The first of these: pairs of first and last number.
    public var firstOwed: [[UInt64]] = []
    /// Ticks acknowledged since the agent's start.
    public var delivered: UInt64 = 0
    /// Ticks that were evicted before they were delivered, or that the broker refused, since the agent's start.
    public var lost: UInt64 = 0
    /// Damaged columns that were lacking in what was delivered since the agent's start.
    public var damagedColumns: UInt64 = 0
    /// Ticks acknowledged a second.
    public var ticksPerSecond: Double?
    /// Seconds until nothing is owed, as fast as it went lately: 0 when nothing is; nil when it does not become less, or is not known.
    public var catchUpSeconds: Double?

    /// A payload without figures.
    public init(name: String) { self.name = name }

    private enum CodingKeys: String, CodingKey {
      case name, owed
      case inFlight = "in_flight"
      case owedRanges = "owed_ranges"
      case firstOwed = "first_owed"
      case delivered, lost
      case damagedColumns = "damaged_columns"
      case ticksPerSecond = "ticks_per_s"
      case catchUpSeconds = "catch_up_s"
    }
  }
}

extension UplinkReport {
  /// The report as one JSON object; every key is there, unknown values are `null`.
  public func json() -> [UInt8] {
    var json = JSONWriter(capacity: 2048)
    json.beginObject()
    json.member("version", version)
    json.member("source", source.rawValue)
    json.member("node", node)
    json.member("time", time)
    json.array("connections", of: connections) { $1.write(to: &$0) }
    json.endObject()
    return json.bytes
  }
}

extension UplinkReport.Connection {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("name", name)
    json.member("broker", broker)
    json.member("state", state)
    json.member("since", since)
    json.member("attempts", attempts)
    json.member("accepted", accepted)
    json.member("rtt_ms", roundTripMilliseconds)
    json.member("last_error", lastError)
    json.member("refusals", refusals)
    json.member("refusal", refusal)
    json.member("sent_bytes", sentBytes)
    json.member("window_s", windowSeconds)
    json.member("bytes_per_s", bytesPerSecond)
    json.array("payloads", of: payloads) { $1.write(to: &$0) }
  }
}

extension UplinkReport.Payload {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("name", name)
    json.member("owed", owed)
    json.member("in_flight", inFlight)
    json.member("owed_ranges", owedRanges)
    json.key("first_owed")
    json.beginArray()
    for range in firstOwed {
      json.beginArray()
      for number in range { json.integer(number) }
      json.endArray()
    }
    json.endArray()
    json.member("delivered", delivered)
    json.member("lost", lost)
    json.member("damaged_columns", damagedColumns)
    json.member("ticks_per_s", ticksPerSecond)
    json.member("catch_up_s", catchUpSeconds)
  }
}
