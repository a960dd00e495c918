public import Buffer
import Glibc
import Telemetry

/// Makes messages: live ticks from memory, owed ticks and older events from the buffer, in constant memory.
struct Backlog {
  /// What there is to send of an owed range.
  enum Piece {
    /// A message over a range, holding this many ticks; of the blocks it was read from so many columns are damaged.
    case message(ClosedRange<UInt64>, ticks: UInt64, damagedColumns: Int, json: [UInt8])
    /// The buffer holds nothing of the range any more.
    case gone(ClosedRange<UInt64>, ticks: UInt64)
    /// The buffer cannot be read now.
    case unreadable
  }

  /// Writes live ticks; knows the series of this run.
  var json = TickJSON()
  var bucket: TokenBucket
  private let path: String
  private let boot: String
  private var reader: BufferReader?
  private var readerInode: UInt64 = 0
  private var storedJSON = TickJSON()
  private var liveWriter = JSONWriter()

  /// A message ends with the tick that reaches this.
  private(set) var messageBytes = UplinkLimits.backlogMessageBytes
  private(set) var messageTicks = UInt64(UplinkLimits.backlogMessageTicks)

  init(path: String, boot: String, bytesPerSecond: Int) {
    self.path = path
    self.boot = boot
    bucket = TokenBucket(bytesPerSecond: bytesPerSecond)
  }

  mutating func limit(bytesPerSecond: Int) { bucket = TokenBucket(bytesPerSecond: bytesPerSecond) }

  /// The broker's own limit: messages never hold more ticks than this again, until the settings change.
  mutating func limitMessages(toTicks ticks: UInt64) { messageTicks = max(min(messageTicks, ticks), 1) }

  /// The link is too thin for messages as large as these.
  mutating func shrinkMessages() { messageBytes = max(messageBytes / 4, UplinkLimits.smallestMessageBytes) }

  /// A message came through: the next may be larger.
  mutating func growMessages() { messageBytes = min(messageBytes * 2, UplinkLimits.backlogMessageBytes) }

  /// Another broker: nothing is known of its limits.
  mutating func freshMessages() {
    messageBytes = UplinkLimits.backlogMessageBytes
    messageTicks = UInt64(UplinkLimits.backlogMessageTicks)
  }

  /// One live tick.
  mutating func live(_ tick: LiveTick) -> [UInt8] {
    liveWriter.clear()
    json.append(
      to: &liveWriter, wallMilliseconds: tick.wallMilliseconds, boot: boot, sequence: tick.sequence, synced: tick.synced,
      values: tick.values)
    return liveWriter.bytes
  }

  /// The first message of an owed range: `{"first":…,"last":…,"ticks":[…]}`, with `"damaged_columns":…` before the ticks where values are
  /// lacking because the buffer is damaged.
  mutating func message(_ owed: ClosedRange<UInt64>) -> Piece {
    do throws(BufferError) {
      let reader = try openReader()
      var writer = JSONWriter(capacity: messageBytes * 5 / 4)
      var first: UInt64 = 0
      var last: UInt64 = 0
      var ticks: UInt64 = 0
      var body = JSONWriter(capacity: messageBytes * 5 / 4)
      var stored = storedJSON
      let (mostBytes, mostTicks) = (messageBytes, messageTicks)
      body.beginArray()
      let damage = try reader.ticks(owed) { tick in
        // The reader takes up series that were named after it was opened.
        if reader.series.count > stored.seriesCount { stored.learn(reader.series.dropFirst(stored.seriesCount).map(\.key)) }
        stored.append(
          to: &body, wallMilliseconds: tick.wallMilliseconds, boot: tick.epoch.boot, sequence: tick.sequence,
          synced: tick.epoch.synced, values: tick.values)
        if ticks == 0 { first = tick.sequence }
        last = tick.sequence
        ticks += 1
        return body.bytes.count < mostBytes && ticks < mostTicks
      }
      storedJSON = stored
      guard ticks > 0 else { return .gone(owed, ticks: UInt64(owed.count)) }
      body.endArray()
      writer.beginObject()
      writer.key("first")
      writer.integer(first)
      writer.key("last")
      writer.integer(last)
      if damage.columns > 0 {
        writer.key("damaged_columns")
        writer.integer(damage.columns)
      }
      writer.key("ticks")
      writer.raw(body.bytes)
      writer.endObject()
      return .message(owed.lowerBound...last, ticks: ticks, damagedColumns: damage.columns, json: writer.bytes)
    } catch {
      reader = nil
      return .unreadable
    }
  }

  /// The first stored event with an id above `id` and below `bound`; nil when there is none or the buffer cannot be read.
  mutating func event(after id: UInt64, below bound: UInt64) -> (id: UInt64, json: [UInt8])? {
    do throws(BufferError) {
      let reader = try openReader()
      guard let event = try reader.events(after: id, limit: 1).first, event.id < bound else { return nil }
      let epoch = reader.epochs.last { $0.id == event.epoch }
      return (event.id, EventJSON.encode(event, epoch: epoch))
    } catch {
      reader = nil
      return nil
    }
  }

  /// Lets go of the buffer while nothing is owed.
  mutating func rest() { reader = nil }

  /// The reader, opened anew when another file took the path.
  private mutating func openReader() throws(BufferError) -> BufferReader {
    var status = stat()
    let inode = stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    if let reader, inode == readerInode {
      try reader.refresh()
      storedJSON.learn(reader.series.dropFirst(storedJSON.seriesCount).map(\.key))
      return reader
    }
    let opened = try BufferReader(path: path)
    reader = opened
    readerInode = inode
    storedJSON = TickJSON()
    storedJSON.learn(opened.series.map(\.key))
    return opened
  }
}

/// An event as JSON: `{"id":…,"t":…,"boot":…,"kind":…,"severity":…,"message":…,"detail":{…}}`.
public enum EventJSON {
  /// Writes an event; without its epoch, `t` and `boot` are `null`.
  public static func encode(_ event: StoredEvent, epoch: Epoch?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("id")
    writer.integer(event.id)
    writer.key("t")
    if let epoch { writer.string(WallTime.text(event.milliseconds &+ epoch.offsetMilliseconds)) } else { writer.null() }
    writer.key("boot")
    if let epoch { writer.string(epoch.boot) } else { writer.null() }
    writer.key("kind")
    writer.string(event.kind)
    writer.key("severity")
    writer.string(event.severity.rawValue)
    writer.key("message")
    writer.string(event.message)
    writer.key("detail")
    writer.raw(Array(event.detail.utf8))
    writer.endObject()
    return writer.bytes
  }
}
