import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

/// The format by its document: a decoder that shares no line with this program reads what it writes.
@Suite struct PackedPythonTests {
  private struct Line: Decodable {
    var seq: UInt64?
    var boot: String?
    var wall: Int64?
    var synced: Bool?
    var m: [String: String]?
    var fault: String?
  }

  private static let decoder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Python/packed.py").path

  private static func decode(_ messages: [[UInt8]], in folder: TemporaryFolder) throws -> [Line] {
    var catalogue = SeriesCatalogue(seriesPerChunk: 16)
    var arguments = [decoder, "--bits", "--catalogue"]
    for chunk in catalogue.learn(PackedFeed.series) {
      arguments.append(try folder.write("chunk-\(chunk).json", String(decoding: catalogue.json(chunk), as: UTF8.self)))
    }
    var file = Data()
    for message in messages {
      withUnsafeBytes(of: UInt32(message.count).littleEndian) { file.append(contentsOf: $0) }
      file.append(contentsOf: message)
    }
    try file.write(to: URL(fileURLWithPath: folder.path(of: "messages")))
    let answer = try ChildProcess.run(
      "python3", arguments + ["--messages", folder.path(of: "messages")], in: folder, within: 120)
    guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: answer.errors) }
    return try answer.output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private static func expectSame(_ lines: [Line], _ expected: [ExpectedTick]) {
    #expect(lines.count == expected.count)
    for (line, tick) in zip(lines, expected) {
      var values: [String: String] = [:]
      for (series, bits) in zip(PackedFeed.series, tick.bits) where !Double(bitPattern: bits).isMissing {
        let digits = String(bits, radix: 16)
        values[series.key] = String(repeating: "0", count: 16 - digits.count) + digits
      }
      #expect(line.seq == tick.sequence && line.boot == tick.boot && line.wall == tick.wall && line.synced == tick.synced)
      #expect(line.m == values, "tick \(tick.sequence), \(line.fault ?? "no fault")")
    }
  }

  @Test func itReadsStoredTicks() throws {
    let feed = try PackedFeed(seed: 81)
    try feed.fill()
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    var messages: [[UInt8]] = []
    var from: UInt64 = 1
    // Whole blocks, parts of blocks, rows.
    for mostBytes in [UplinkLimits.packedMessageBytes, 9_000] + Array(repeating: UplinkLimits.packedMessageBytes, count: 20) {
      guard from <= feed.last else { break }
      guard case .message(let range, _, let bytes) = try backlog.message(from...feed.last, mostBytes: mostBytes) else { break }
      messages.append(bytes)
      from = range.upperBound + 1
    }
    #expect(backlog.wholeBlocks >= 1 && messages.count > Int(backlog.wholeBlocks) + 1)
    Self.expectSame(try Self.decode(messages, in: feed.folder), feed.expected)
    // The columns are of every coding: deflated, packed and XOR ones.
    let modes = try Self.forms(feed)
    #expect(modes.deflated > 0 && modes.plain > 0)
  }

  /// How many columns of the sealed blocks are deflated, and how many are not.
  private static func forms(_ feed: PackedFeed) throws -> (deflated: Int, plain: Int) {
    let code = """
      import sqlite3, sys
      sys.path.insert(0, sys.argv[2])
      import packed
      deflated, plain = 0, 0
      for (block,) in sqlite3.connect(sys.argv[1]).execute("SELECT data FROM block"):
          columns, rows, size = packed.struct.unpack_from("<3I", block, 4)
          data = packed.Bytes(block[28:28 + size])
          for _ in range(3): packed.read_integers(data, rows, data.byte())
          for _ in range(columns):
              data.varint()
              flags = data.byte()
              data.varint()
              if flags & 16: data.varint()
              if data.varint() < rows:
                  for _ in range(3): packed.skip_number(data)
              data.fixed()
              deflated, plain = deflated + bool(flags & 16), plain + (not flags & 16)
      print(deflated, plain)
      """
    let folder = (decoder as NSString).deletingLastPathComponent
    let answer = try ChildProcess.run(
      "python3", ["-c", code, feed.path, folder], in: feed.folder, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    let numbers = answer.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard numbers.count == 2 else { throw ChildProcess.Failure(description: answer.errors) }
    return (numbers[0], numbers[1])
  }

  @Test func itReadsLiveTicks() throws {
    let feed = try PackedFeed(seed: 82)
    let boot = "be154352-07bb-4ae6-8774-e214869e617b"
    var encoder = PackedLiveEncoder(boot: boot, keyEvery: 25)
    encoder.learn(PackedFeed.series)
    var (messages, expected): ([[UInt8]], [ExpectedTick]) = ([], [])
    for sequence in 1...120 as ClosedRange<UInt64> {
      let values = feed.values()
      feed.skip(1)
      let tick = LiveTick(
        sequence: sequence * 3, wallMilliseconds: 1_767_225_600_000 - Int64(sequence) * 17, synced: sequence > 60, values: values)
      messages.append(encoder.encode(tick))
      expected.append(ExpectedTick(tick.sequence, boot, tick.wallMilliseconds, tick.synced, values))
    }
    Self.expectSame(try Self.decode(messages, in: feed.folder), expected)
  }

  @Test func itNoticesWhatIsLostDamagedOrUnknown() throws {
    let feed = try PackedFeed(seed: 83)
    var encoder = PackedLiveEncoder(boot: "boot", keyEvery: 4)
    encoder.learn(PackedFeed.series)
    var messages = (1...6).map {
      encoder.encode(LiveTick(sequence: $0, wallMilliseconds: 5, synced: true, values: feed.values()))
    }
    messages[2][9] ^= 4
    messages[5][0] = 0xB7
    let lines = try Self.decode(messages, in: feed.folder)
    #expect(lines.map(\.fault) == [nil, nil, "damaged", "missing base 3", nil, "unknown version 7"])
  }
}
