import Buffer
import Foundation
import Telemetry
import Testing

/// Writes a real buffer: series `t.value{n="0"}`…, ticks a second apart whose values say which one it is.
final class BufferFeed {
  let folder: TemporaryFolder
  let path: String
  private(set) var writer: BufferWriter
  private var encoder = TickEncoder()
  private(set) var next: UInt64
  private let seriesCount: Int
  static let policy = RetentionPolicy(retainMilliseconds: 7 * 86_400_000, maximumBytes: 64 << 20)

  init(series: Int = 2, in folder: TemporaryFolder? = nil, first: UInt64 = 1) throws {
    let folder = try folder ?? TemporaryFolder()
    self.folder = folder
    path = folder.path(of: "buffer.db")
    seriesCount = series
    writer = try BufferWriter(path: path, node: "edge-01", policy: BufferFeed.policy)
    next = first
    encoder.learn(decimals: [Int](repeating: 0, count: series))
    var transaction = BufferTransaction()
    transaction.series = stored
    // 2026-01-01T00:00:00Z
    transaction.epochs = [
      Epoch(
        id: 1, boot: "boot-1", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 1_767_225_600_000, synced: true)
    ]
    try writer.commit(transaction)
  }

  var stored: [StoredSeries] {
    (0..<seriesCount).map { id in
      StoredSeries(
        id: id, key: "t.value{n=\"\(id)\"}", name: "t.value", labels: [Label("n", "\(id)")], unit: "bytes", kind: "gauge",
        decimals: 0)
    }
  }

  static func live(_ sequence: UInt64) -> [Double] { [Double(sequence), Double(sequence) + 1] }

  /// Commits ticks; returns the last number.
  @discardableResult
  func ticks(_ count: Int) throws -> UInt64 {
    var transaction = BufferTransaction()
    for _ in 0..<count {
      if transaction.ticks.isEmpty { encoder.beginGroup() }
      let values = (0..<seriesCount).map { Double(next) + Double($0) }
      transaction.ticks.append(
        encoder.encode(sequence: next, epoch: 1, milliseconds: Int64(next) * 1_000, values: values))
      next += 1
      if transaction.ticks.count == 50 {
        try writer.commit(transaction)
        transaction = BufferTransaction()
      }
    }
    if !transaction.isEmpty { try writer.commit(transaction) }
    return next - 1
  }

  /// Moves what there is into blocks.
  func seal() throws { #expect(try writer.seal(atLeast: 500).isEmpty == false) }

  func skip(_ count: UInt64) { next += count }

  func event(_ id: UInt64) throws {
    var transaction = BufferTransaction()
    transaction.events = [
      StoredEvent(
        id: id, epoch: 1, milliseconds: 1_000, kind: "test", severity: .info, message: "event \(id)", detail: "{\"n\":\(id)}")
    ]
    try writer.commit(transaction)
  }
}

/// A backlog message as a consumer reads it.
struct BacklogMessage: Decodable {
  struct Tick: Decodable {
    var t: String
    var boot: String
    var seq: UInt64
    var q: String
    /// Family, quantity, value of the label.
    var m: [String: [String: [String: Double]]]

    subscript(label: String) -> Double? { m["t"]?["value"]?[label] }
  }

  var first: UInt64
  var last: UInt64
  var damaged_columns: Int?
  var ticks: [Tick]

  static func decode(_ json: some Collection<UInt8>) throws -> BacklogMessage {
    try JSONDecoder().decode(BacklogMessage.self, from: Data(json))
  }
}
