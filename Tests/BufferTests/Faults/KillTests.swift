import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

/// SIGKILL to a real writer.
@Suite struct KillTests {
  private static let kills = 30

  @Test func aKilledWriterLosesNothingAcknowledged() throws {
    let scratch = try Scratch()
    var random = SplitMix64(seed: 301)
    var acknowledged: UInt64 = 0
    for kill in 0..<Self.kills {
      acknowledged = max(acknowledged, try Self.runAndKill(scratch, lines: 1 + Int(random.next() % 60)))
      var last: UInt64 = 0
      var isAscending = true
      var isRight = true
      var hasAcknowledged = false
      let reader = try BufferReader(path: scratch.path)
      let damage = try reader.ticks(0...(.max)) { tick in
        isAscending = isAscending && tick.sequence > last
        isRight = isRight && tick.values == [Double(tick.sequence) / 2]
        hasAcknowledged = hasAcknowledged || tick.sequence == acknowledged
        last = tick.sequence
        return true
      }
      #expect(damage.isNone && isAscending && isRight && hasAcknowledged, "kill \(kill), acknowledged up to \(acknowledged)")
      #expect(try reader.state().nextSequence > last)
    }
    // Numbers that were reserved and not used are the only ones missing: each boot's ticks are there without a hole.
    let reader = try BufferReader(path: scratch.path)
    var previous: (sequence: UInt64, epoch: Int)?
    var holes = 0
    _ = try reader.ticks(0...(.max)) { tick in
      if let previous, previous.epoch == tick.epoch.id, tick.sequence != previous.sequence + 1 { holes += 1 }
      previous = (tick.sequence, tick.epoch.id)
      return true
    }
    #expect(holes == 0)
    // It sealed, and it merged: there are fewer blocks than sealings.
    let sealed = try #require(try reader.tierSizes().first { $0.tier == .raw })
    #expect(sealed.ticks > 500 && sealed.blocks < sealed.ticks / 100)
  }

  /// Starts the writer, kills it after so many commits, and returns the last number it acknowledged.
  private static func runAndKill(_ scratch: Scratch, lines: Int) throws -> UInt64 {
    let process = Process()
    process.executableURL = try program()
    process.arguments = [scratch.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var text = Data()
    while text.count(where: { $0 == 10 }) < lines {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      text += more
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    text += output.fileHandleForReading.readDataToEndOfFile()
    // A line that the kill cut short is none.
    let whole = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let last = try #require(whole.last.flatMap { UInt64($0) }, "the writer says: \(String(decoding: text, as: UTF8.self))")
    #expect(process.terminationReason == .uncaughtSignal)
    return last
  }

  /// The writer lies beside the tests.
  private static func program() throws -> URL {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let arguments = CommandLine.arguments.filter { $0.contains(".build") || $0.contains(".xctest") }
    for path in [tests] + arguments {
      let folder = URL(filePath: path).deletingLastPathComponent()
      let found = folder.appending(path: "KillableWriter")
      if FileManager.default.isExecutableFile(atPath: found.path()) { return found }
    }
    throw CocoaError(.fileNoSuchFile)
  }
}
