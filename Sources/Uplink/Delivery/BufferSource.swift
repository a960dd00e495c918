import Buffer
import Glibc
import Telemetry

/// What there is to send of an owed range.
enum BacklogPiece {
  /// A message over a range, holding this many ticks; so many columns or values of what it was read from are damaged and lacking.
  case message(ClosedRange<UInt64>, ticks: UInt64, damaged: UInt64, payload: [UInt8])
  /// The buffer holds nothing of the range any more.
  case gone(ClosedRange<UInt64>, ticks: UInt64)
}

/// The buffer as the uplink reads it: opened when something is owed, opened anew when another file took its path.
final class BufferSource {
  /// Counts the files that were opened: another number, other ids.
  private(set) var file = 0
  let path: String
  private var reader: BufferReader?
  private var inode: UInt64 = 0

  init(path: String) { self.path = path }

  /// The reader, up to date.
  func open() throws(BufferError) -> BufferReader {
    var status = stat()
    let found = stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    if let reader, found == inode {
      try reader.refresh()
      return reader
    }
    let opened = try BufferReader(path: path)
    (reader, inode) = (opened, found)
    file += 1
    return opened
  }

  /// Lets go of the file: nothing is owed, or it could not be read.
  func close() {
    if reader != nil { file += 1 }
    reader = nil
  }

  /// The first stored event with an id above `id` and below `bound`; nil when there is none or the buffer cannot be read.
  func event(after id: UInt64, below bound: UInt64) -> (id: UInt64, json: [UInt8])? {
    do throws(BufferError) {
      let reader = try open()
      guard let event = try reader.events(after: id, limit: 1).first, event.id < bound else { return nil }
      let epoch = reader.epochs.last { $0.id == event.epoch }
      return (event.id, EventJSON.encode(event, epoch: epoch))
    } catch {
      close()
      return nil
    }
  }
}

/// How large a message of the backlog may be: the broker's limit, and what the link has proved to carry.
struct MessageSize {
  /// A message ends with the tick that reaches this.
  private(set) var bytes = UplinkLimits.backlogMessageBytes
  /// Ticks in one at most.
  private(set) var ticks = UInt64(UplinkLimits.backlogMessageTicks)
  private var mostBytes = UplinkLimits.backlogMessageBytes

  /// The same for `packed`, whose blocks are best left whole: larger until the broker or the link proves too narrow.
  var packedBytes: Int {
    bytes < UplinkLimits.backlogMessageBytes ? bytes : min(UplinkLimits.packedMessageBytes, packetBytes)
  }
  private var packetBytes = Int.max

  /// The broker said how large a packet may be: topic and properties take some of it, and the last tick may overshoot.
  mutating func limit(toPacketBytes packet: Int) {
    packetBytes = packet / 2
    mostBytes = min(max(packet / 2, UplinkLimits.smallestMessageBytes / 2), UplinkLimits.backlogMessageBytes)
    bytes = min(bytes, mostBytes)
  }

  /// The broker's own limit, found by its refusal: messages never hold more ticks than this again, until the broker changes.
  mutating func limit(toTicks most: UInt64) { ticks = max(min(ticks, most), 1) }

  /// The link is too thin for messages as large as these.
  mutating func shrink() { bytes = max(bytes / 4, UplinkLimits.smallestMessageBytes) }

  /// A new connection: nobody knows yet what it carries.
  mutating func beginSmall() { bytes = min(bytes, UplinkLimits.firstMessageBytes) }

  /// A message came through: the next may be larger.
  mutating func grow() { bytes = min(bytes * 2, mostBytes) }
}
