/// A message that the session has to publish on the Sparkplug connection. Never retained.
struct SparkplugMessage: Sendable {
  /// What it carries.
  enum Cargo: Hashable, Sendable {
    /// A birth that was asked for, without a tick of its own.
    case birth
    case death
    /// A message of which the next one carries the rest.
    case part
    /// A live tick; in a birth, too, when the tick named new series.
    case tick(UInt64)
    /// So many owed ticks of a range.
    case backlog(ClosedRange<UInt64>, ticks: UInt64)
  }

  var topic: String
  var payload: [UInt8]
  /// 0 for births and data, as the specification demands; 1 for deaths.
  var qualityOfService: Int
  var cargo: Cargo
}

/// Now, by both clocks.
struct SparkplugMoment: Sendable {
  /// Unix milliseconds: what payloads are stamped with.
  var wallMilliseconds: Int64
  /// CLOCK_BOOTTIME milliseconds: what intervals are measured with.
  var milliseconds: Int64

  /// Unix milliseconds as the wire has them: a clock before 1970 is not told apart from one in 1970.
  static func wire(_ wallMilliseconds: Int64) -> UInt64 { UInt64(max(wallMilliseconds, 0)) }
}

/// What becomes of a live tick.
enum SparkplugTickAnswer: Sendable {
  /// It goes out with these; the last one carries it.
  case messages([SparkplugMessage])
  /// It changed nothing that the host does not know: it is delivered as soon as all that was sent before it is.
  case unchanged
  /// It cannot be sent now: there is no session, or a birth is due.
  case owed
}

/// What a message from the broker brings about.
struct SparkplugReaction: Sendable {
  var messages: [SparkplugMessage] = []
  /// The primary host is offline: after the messages the connection is to be closed, and the next broker tried.
  var disconnects = false
}

/// Metrics on their way into one or more NDATA payloads, each within a bound.
struct SparkplugParts {
  private let timestamp: UInt64
  private let bound: Int
  private var closed: [ProtobufWriter] = []
  private var open: ProtobufWriter
  private var metricsInOpen = 0
  /// Bytes of the sequence number, which comes last.
  private static let sequenceBytes = 3

  init(timestamp: UInt64, bound: Int) {
    self.timestamp = timestamp
    self.bound = bound
    open = ProtobufWriter(capacity: min(bound, 4_096))
    open.varint(1, timestamp)
  }

  /// Whether one message holds all so far.
  var isSingle: Bool { closed.isEmpty }
  var isEmpty: Bool { closed.isEmpty && metricsInOpen == 0 }

  /// Metrics that are to stay together; false when they do not fit into the message any more.
  mutating func append(whole metrics: ProtobufWriter) -> Bool {
    guard !metrics.bytes.isEmpty else { return true }
    guard open.bytes.count + metrics.bytes.count + SparkplugParts.sequenceBytes <= bound else { return false }
    open.raw(metrics.bytes[...])
    metricsInOpen += 1
    return true
  }

  /// A metric; another message begins when this one has no room.
  mutating func append(_ metric: SparkplugMetric) {
    let start = open.bytes.count
    metric.encode(to: &open)
    metricsInOpen += 1
    guard open.bytes.count + SparkplugParts.sequenceBytes > bound, metricsInOpen > 1 else { return }
    let tail = open.cut(at: start)
    closed.append(open)
    open = ProtobufWriter(capacity: min(bound, 4_096))
    open.varint(1, timestamp)
    open.raw(tail)
    metricsInOpen = 1
  }

  /// The payloads, numbered from the node's counter on.
  func finished(_ sequence: inout UInt8) -> [[UInt8]] {
    (closed + [open]).map { part in
      var writer = part
      writer.varint(3, UInt64(sequence))
      sequence &+= 1
      return writer.bytes
    }
  }
}
