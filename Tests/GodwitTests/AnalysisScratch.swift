import ArgumentParser
import Buffer
import Foundation
import Telemetry

@testable import godwit

/// A buffer of three series over some hours, sealed but for its end, and what it must hold by plain counting.
final class AnalysisScratch {
  let folder = NSTemporaryDirectory() + "godwit-analysis-\(UUID().uuidString)"
  var path: String { folder + "/buffer.db" }

  /// 2026-11-20T22:00:00Z, a full hour.
  static let start: Int64 = 1_795_212_000_000
  static let ticks = 9_000

  static let temperature = Series(
    Metric("thermal.temperature_celsius", unit: .celsius, decimals: 1, labels: ["zone"], help: ""),
    [Label("zone", "cpu \"0\"")])
  static let received = Series(
    Metric("network.receive_bytes_total", unit: .bytes, kind: .counter, labels: ["interface"], help: ""),
    [Label("interface", "eth0")])
  static let usage = Series(Metric("cpu.usage_percent", unit: .percent, decimals: 1, help: ""))

  /// The values of a tick; the usage is there every fifth time.
  static func values(_ tick: Int) -> [Double] {
    [Double(400 + tick % 70) / 10, Double(tick * 100), tick % 5 == 0 ? Double(tick % 1_000) / 10 : .missing]
  }

  /// Two and a half hours at 1 Hz over two boots.
  init(seal: Bool = true) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let writer = try BufferWriter(
      path: path, node: "edge-01", policy: RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 64 << 20))
    var transaction = BufferTransaction()
    transaction.series = [Self.temperature, Self.received, Self.usage].enumerated().map { StoredSeries(id: $0, $1) }
    transaction.epochs = [
      Epoch(
        id: 1, boot: "boot-a", firstSequence: 1, fromMilliseconds: 5_000, offsetMilliseconds: Self.start - 5_000, synced: true),
      Epoch(
        id: 2, boot: "boot-b", firstSequence: 5_001, fromMilliseconds: 0, offsetMilliseconds: Self.start + 5_000_000, synced: true
      ),
    ]
    transaction.events = [
      StoredEvent(id: 1, epoch: 2, milliseconds: 1_000, kind: "started", severity: .info, message: "it's up, \"again\"")
    ]
    transaction.deliveries = ["mqtt": DeliveryPosition(next: 8_991, owed: [11...20], event: 0)]
    var encoder = TickEncoder()
    encoder.learn(decimals: [1, 0, 1])
    for tick in 0..<Self.ticks {
      if tick % 200 == 0 { encoder.beginGroup() }
      transaction.ticks.append(
        encoder.encode(
          sequence: UInt64(tick + 1), epoch: tick < 5_000 ? 1 : 2,
          milliseconds: Int64(tick < 5_000 ? 5_000 + tick * 1_000 : (tick - 5_000) * 1_000), values: Self.values(tick)))
    }
    try writer.commit(transaction)
    while seal, try !writer.seal().isEmpty {}
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// What a subcommand writes to a file.
  func export(_ name: String, _ arguments: String...) throws -> String {
    try run(["export", "--buffer", path, "-o", folder + "/" + name] + arguments)
    let entries = try FileManager.default.contentsOfDirectory(atPath: folder)
    guard !entries.contains(where: { $0.hasSuffix(".partial") }) else { throw Failure("a part was left") }
    return folder + "/" + name
  }

  func run(_ arguments: [String]) throws {
    var command = try Godwit.parseAsRoot(arguments)
    try command.run()
  }

  /// What python3's own library says, line by line.
  static func python(_ program: String, _ arguments: String...) throws -> [String] {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program] + arguments
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure("python3: \(process.terminationStatus)") }
    return output.split(separator: "\n").map(String.init)
  }
}
