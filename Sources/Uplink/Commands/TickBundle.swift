import Buffer
import Telemetry

/// Stored ticks as a file in chunks of whole lines, one tick a line as `godwit export --format jsonl` writes them. Memory: a chunk and a
/// batch of ticks.
final class TickBundle {
  /// A chunk that awaits its acknowledgement, or has to be sent again.
  struct Chunk: Hashable {
    let number: Int
    let bytes: [UInt8]
  }

  let id: String
  /// Chunks, bytes and ticks so far.
  private(set) var chunks = 0
  private(set) var bytes: UInt64 = 0
  private(set) var ticks: UInt64 = 0
  private var checksum = CRC32()
  private let reader: BufferReader
  private let ranges: [ClosedRange<UInt64>]
  private var place = 0
  private var walk: TickWalk?
  private var json = TickJSON()
  /// Chunks whose connection broke.
  private var lost: [Chunk] = []
  private var isRead = false
  private(set) var inFlight = 0

  /// Opens the buffer and looks for what the command names.
  init(_ request: CommandRequest, buffer path: String) throws(CommandFault) {
    if let format = request.arguments["format"], format != .string("jsonl") {
      throw CommandFault("'format' can only be \"jsonl\"")
    }
    let range = try CommandRange(request.arguments)
    id = request.id
    do throws(BufferError) { reader = try BufferReader(path: path) } catch {
      throw CommandFault("the buffer cannot be read: \(error)")
    }
    ranges = try range.stored(in: reader)
  }

  /// Whether every chunk was acknowledged.
  var isDone: Bool { isRead && lost.isEmpty && inFlight == 0 }

  /// The next chunk to send, of about so many bytes; nil when all were read.
  func next(bytes most: Int) throws(CommandFault) -> Chunk? {
    if !lost.isEmpty {
      inFlight += 1
      return lost.removeFirst()
    }
    guard !isRead else { return nil }
    var writer = JSONWriter()
    var text: [UInt8] = []
    text.reserveCapacity(most * 5 / 4)
    while text.count < most, let tick = try tick() {
      json.learn(reader.series.dropFirst(json.seriesCount).map(\.key))
      writer.clear()
      json.append(
        to: &writer, wallMilliseconds: tick.wallMilliseconds, boot: tick.epoch.boot, sequence: tick.sequence,
        synced: tick.epoch.synced, values: tick.values)
      text += writer.bytes
      text.append(UInt8(ascii: "\n"))
      ticks += 1
    }
    guard !text.isEmpty else {
      isRead = true
      return nil
    }
    bytes += UInt64(text.count)
    guard bytes <= UplinkLimits.Commands.bundleBytes else {
      throw CommandFault("the bundle has more than \(UplinkLimits.Commands.bundleBytes >> 20) MiB: take it in parts")
    }
    checksum.add(text)
    chunks += 1
    inFlight += 1
    return Chunk(number: chunks - 1, bytes: text)
  }

  /// The broker has a chunk.
  func acknowledge() { inFlight -= 1 }

  /// A chunk did not arrive: it is sent again.
  func lose(_ chunk: Chunk) {
    inFlight -= 1
    lost.append(chunk)
    lost.sort { $0.number < $1.number }
  }

  /// What a receiver checks the bundle by.
  var result: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("format", "jsonl")
    writer.member("chunks", chunks)
    writer.member("ticks", ticks)
    writer.member("bytes", bytes)
    writer.member("crc32", checksum.text)
    writer.endObject()
    return writer.bytes
  }

  private func tick() throws(CommandFault) -> StoredTick? {
    do throws(BufferError) {
      while place < ranges.count {
        let current = walk ?? TickWalk(ranges[place], of: reader)
        walk = current
        if let tick = try current.take() { return tick }
        walk = nil
        place += 1
      }
      return nil
    } catch {
      throw CommandFault("the buffer cannot be read: \(error)")
    }
  }
}

/// The checksum of zlib, gzip and Ethernet: polynomial 0x04C11DB7, reflected (RFC 1952, 8).
struct CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }

  private var state = UInt32.max

  mutating func add(_ bytes: [UInt8]) {
    for byte in bytes { state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] }
  }

  /// Eight hexadecimal digits.
  var text: String {
    let digits = String(~state, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
