import Foundation
import Telemetry

@testable import Buffer

/// A folder of its own that goes with the test.
final class Scratch {
  let folder: String
  var path: String { folder + "/buffer.db" }

  init() throws {
    folder = NSTemporaryDirectory() + "godwit-buffer-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    chmod(folder, 0o755)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Bytes that the database and its companions take.
  func bytes(_ suffixes: [String] = ["", "-wal"]) -> Int {
    suffixes.reduce(0) { $0 + (FileHeader.bytes(path + $1) ?? 0) }
  }

  /// Copies the database and its log as they lie there now: what a power cut would leave.
  func copy(_ suffixes: [String] = ["", "-wal"], to other: Scratch) throws {
    for suffix in suffixes where FileHeader.bytes(path + suffix) != nil {
      try Data(contentsOf: URL(filePath: path + suffix)).write(to: URL(filePath: other.path + suffix))
    }
  }

  /// Makes the tables what they were before version 3.
  static func dropChecksums(_ database: Database) throws {
    for table in ["series", "epoch", "delivery", "owed"] { try database.execute("ALTER TABLE \(table) DROP COLUMN crc") }
  }

  func load(_ suffix: String = "") throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: path + suffix))) }

  func store(_ bytes: [UInt8], _ suffix: String = "") throws { try Data(bytes).write(to: URL(filePath: path + suffix)) }
}

/// Feeds a buffer as the agent does: one tick a second, ten to a commit.
struct Recorder {
  let writer: BufferWriter
  var encoder = TickEncoder()
  var transaction = BufferTransaction()
  var sequence: UInt64
  var milliseconds: Int64 = 0
  var epoch = 0
  let seriesCount: Int

  static let roomy = RetentionPolicy(retainMilliseconds: 7 * 86_400_000, maximumBytes: 64 << 20)

  init(_ scratch: Scratch, series: Int = 4, decimals: Int = 1, policy: RetentionPolicy = roomy) throws {
    writer = try BufferWriter(path: scratch.path, node: "edge-01", policy: policy)
    sequence = writer.opening.nextSequence
    epoch = writer.opening.lastEpoch
    seriesCount = series
    let known = writer.opening.series.count
    transaction.series = (known..<max(series, known)).map { id in
      StoredSeries(
        id: id, key: "t.value{n=\"\(id)\"}", name: "t.value", labels: [Label("n", "\(id)")], unit: "°C", kind: "gauge",
        decimals: decimals)
    }
    encoder.learn(decimals: writer.opening.series.map(\.decimals) + transaction.series.map(\.decimals))
  }

  mutating func begin(boot: String, offset: Int64, synced: Bool, at start: Int64? = nil) {
    if let start { milliseconds = start }
    epoch += 1
    transaction.epochs.append(
      Epoch(
        id: epoch, boot: boot, firstSequence: sequence, fromMilliseconds: milliseconds, offsetMilliseconds: offset,
        synced: synced))
  }

  /// The values of a tick say which one it is.
  static func values(_ sequence: UInt64, _ count: Int) -> [Double] {
    (0..<count).map { ((Double(sequence) + Double($0)) / 10).rounded(decimals: 1) }
  }

  mutating func tick(_ count: Int = 1, every step: Int64 = 1_000, values: ((UInt64) -> [Double])? = nil) throws {
    for _ in 0..<count {
      let row = values?(sequence) ?? Self.values(sequence, seriesCount)
      transaction.ticks.append(encoder.encode(sequence: sequence, epoch: epoch, milliseconds: milliseconds, values: row))
      sequence += 1
      milliseconds += step
      if transaction.ticks.count >= 10 { try commit() }
    }
  }

  mutating func commit() throws {
    try writer.commit(transaction)
    transaction = BufferTransaction()
  }
}

/// What a reader gives, in order; `damaged` counts ticks that are left out.
func sequences(_ reader: BufferReader, _ range: ClosedRange<UInt64> = 0...(.max)) throws -> (found: [UInt64], damaged: Int) {
  var found: [UInt64] = []
  let damage = try reader.ticks(range) {
    found.append($0.sequence)
    return true
  }
  return (found, damage.ticks)
}

/// The wall times that a reader gives, in order.
func wallTimes(_ reader: BufferReader, _ range: ClosedRange<Int64>) throws -> [Int64] {
  var found: [Int64] = []
  _ = try reader.ticks(wall: range) {
    found.append($0.wallMilliseconds)
    return true
  }
  return found
}
