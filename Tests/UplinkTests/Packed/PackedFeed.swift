import Buffer
import Foundation
import Randomness
import Telemetry

@testable import Uplink

/// A tick as it has to arrive: beyond the end everything is missing.
struct ExpectedTick: Equatable, CustomStringConvertible {
  var sequence: UInt64
  var boot: String
  var wall: Int64
  var synced: Bool
  var bits: [UInt64]

  init(_ sequence: UInt64, _ boot: String, _ wall: Int64, _ synced: Bool, _ values: [Double]) {
    (self.sequence, self.boot, self.wall, self.synced) = (sequence, boot, wall, synced)
    let end = values.lastIndex { !$0.isMissing }.map { $0 + 1 } ?? 0
    bits = values[..<end].map(\.bitPattern)
  }

  init(_ tick: PackedTick) { self.init(tick.sequence, tick.boot, tick.wallMilliseconds, tick.synced, tick.values) }

  var description: String { "tick \(sequence) of \(boot) at \(wall), synced \(synced), \(bits.map { String($0, radix: 16) })" }
}

/// A real buffer of every sort of value: several boots and epochs, numbers left out, columns of each coding.
final class PackedFeed {
  static let series: [StoredSeries] = (0..<40).map { id in
    StoredSeries(
      id: id, key: "t.value_\(id % 3){n=\"\(id)\",text=\"ä\\\"\\\\\"}", name: "t.value_\(id % 3)",
      labels: [Label("n", "\(id)"), Label("text", "ä\"\\")], unit: "°C", kind: "gauge", decimals: decimals(id))
  }

  static func decimals(_ id: Int) -> Int {
    switch id {
    case 3: 9
    case 12..<24: 1
    case 24..<40: 2
    default: 0
    }
  }

  let folder: TemporaryFolder
  let path: String
  let writer: BufferWriter
  private(set) var expected: [ExpectedTick] = []
  private var encoder = TickEncoder()
  private var transaction = BufferTransaction()
  private var random: SplitMix64
  private var walk = [Double](repeating: 0, count: 40)
  private var next: UInt64 = 1
  private var milliseconds: Int64 = 5_000
  private var epoch: Epoch

  init(seed: UInt64) throws {
    folder = try TemporaryFolder()
    path = folder.path(of: "buffer.db")
    writer = try BufferWriter(path: path, node: "edge-01", policy: BufferFeed.policy)
    random = SplitMix64(seed: seed)
    epoch = Epoch(
      id: 1, boot: "be154352-07bb-4ae6-8774-e214869e617b", firstSequence: 1, fromMilliseconds: 0,
      offsetMilliseconds: 1_767_225_600_000, synced: false)
    transaction.series = Self.series
    transaction.epochs = [epoch]
    encoder.learn(decimals: Self.series.map(\.decimals))
  }

  var last: UInt64 { next - 1 }

  func skip(_ count: UInt64) { next += count }

  func begin(boot: String, offset: Int64, synced: Bool) {
    epoch = Epoch(
      id: epoch.id + 3, boot: boot, firstSequence: next, fromMilliseconds: milliseconds, offsetMilliseconds: offset,
      synced: synced)
    transaction.epochs.append(epoch)
  }

  /// The values of the next tick.
  func values() -> [Double] {
    (0..<40).map { id in
      walk[id] += Double(random.next() % 41) - 20
      switch id {
      case 0: return Double(next) * 1_000 + Double(random.next() % 500)
      case 1: return 42
      case 2: return next % 7 < 3 ? .missing : walk[id]
      case 3: return Double(Int64(random.next() % 1_000_000_007)) / 1e9
      case 4: return Double(bitPattern: random.next())
      case 5: return random.value(decimals: 0)
      case 6: return next % 10 == 0 ? Double(next) : .missing
      case 7: return .missing
      case 8: return Double(bitPattern: 0x7FF8_0000_0000_0001 + next % 3)
      case 9: return next % 2 == 0 ? .infinity : -.infinity
      case 10: return 1e300 / Double(next)
      case 11: return next % 5 == 0 ? -0.0 : 0
      case 12..<18: return (500 + walk[id]) / 10
      case 18..<24: return [0, 31_337, 7, 512_000, 12.5, 99][Int(next % 6)]
      case 24: return next % 50 == 0 ? .nan : walk[id] / 100
      default: return walk[id] / 100
      }
    }
  }

  func ticks(_ count: Int) throws {
    for _ in 0..<count {
      if transaction.ticks.isEmpty { encoder.beginGroup() }
      let values = values()
      milliseconds += 1_000 + Int64(random.next() % 3)
      transaction.ticks.append(
        encoder.encode(sequence: next, epoch: epoch.id, milliseconds: milliseconds, values: values))
      expected.append(
        ExpectedTick(next, epoch.boot, milliseconds + epoch.offsetMilliseconds, epoch.synced, values))
      next += 1
      if transaction.ticks.count == 50 { try commit() }
    }
    try commit()
  }

  private func commit() throws {
    guard !transaction.isEmpty else { return }
    try writer.commit(transaction)
    transaction = BufferTransaction()
  }

  /// The clock is synchronised: the epoch that runs is corrected after the fact.
  func synchronize(movedBy milliseconds: Int64) throws {
    epoch.offsetMilliseconds += milliseconds
    epoch.synced = true
    var correction = BufferTransaction()
    correction.epochs = [epoch]
    try writer.commit(correction)
  }

  /// Seals everything but the newest group.
  func seal(_ ticks: Int) throws { while try !writer.seal(atLeast: ticks).isEmpty {} }

  /// Two boots, three epochs, a gap; sealed but for the last ticks. More than what is merged into one block.
  func fill() throws {
    try ticks(1_300)
    begin(boot: "be154352-07bb-4ae6-8774-e214869e617b", offset: 1_767_225_600_777, synced: true)
    try ticks(1_200)
    skip(5_000)
    begin(boot: "second boot", offset: 1_767_225_500_000, synced: true)
    try ticks(800)
    try seal(500)
    try ticks(130)
  }

  /// A reader that knows the catalogue.
  static func packedReader() throws -> PackedReader {
    var reader = PackedReader()
    var catalogue = SeriesCatalogue(seriesPerChunk: 16)
    for chunk in catalogue.learn(series) { try reader.learn(catalogue: catalogue.json(chunk)) }
    return reader
  }

  /// Runs a program over the buffer's database.
  func change(_ sql: String) throws {
    let code = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.create_function("flip", 2, lambda data, at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
      db.execute(sys.argv[2])
      db.commit()
      """
    let answer = try ChildProcess.run("python3", ["-c", code, path, sql], in: folder)
    guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: answer.errors) }
  }
}

extension PackedReader {
  /// The ticks of a message.
  mutating func ticks(_ message: [UInt8]) throws(PackedFault) -> [ExpectedTick] {
    var ticks: [ExpectedTick] = []
    try read(message) { ticks.append(ExpectedTick($0)) }
    return ticks
  }
}
