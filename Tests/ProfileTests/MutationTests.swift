import Foundation
import Randomness
import Sensors
import Telemetry
import Testing

@testable import Profile

@Suite struct MutationTests {
  private static let pieces: [[UInt8]] = [
    "{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "\t", "\"", "'", "#", " #", "&a ", "*a", "!x ", "| ", "> ", "${", "${A:-",
    "$", "~", "---\n",
    "...\n", "\u{FEFF}", "é", "\0", "<<: ", "1e999", "-1", "0x10", "99999999999999999999", "\\", "?", "? ", ",", "%",
  ].map { Array($0.utf8) }

  @Test func tenThousandMutationsNeitherCrashNorPassInSilence() throws {
    let given = ProcessInfo.processInfo.environment["GODWIT_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 1...UInt64.max)
    print("mutations: GODWIT_SEED=\(seed)")
    var generator = SplitMix64(seed: seed)
    let sample = try ReferenceTests.bytes("etc/godwit/profile.yaml")
    for round in 0..<10_000 {
      let text = Self.mutate(sample, &generator)
      do throws(ProfileProblems) {
        let profile = try Profile.parse(
          files: [("profile.yaml", text)], catalogue: SensorCatalogue.kinds, environment: Fixture.environment)
        // What passes is within the bounds, whatever the file says.
        let isSane =
          (100...3_600_000).contains(profile.tickMilliseconds) && (1...64).contains(profile.node.utf8.count)
          && !profile.sensors.isEmpty
          && profile.sensors.allSatisfy { $0.everyMilliseconds % profile.tickMilliseconds == 0 && $0.everyMilliseconds > 0 }
          && profile.buffer.maximumBytes >= 1 << 20
        if !isSane { Issue.record("seed \(seed), round \(round): passes but is out of bounds") }
      } catch {
        let isTold =
          !error.problems.isEmpty
          && error.problems.allSatisfy { !$0.what.isEmpty && !$0.remedy.isEmpty && !$0.description.contains("\n") }
        if !isTold { Issue.record("seed \(seed), round \(round): a problem is not told in one line") }
      }
    }
  }

  private static func mutate(_ sample: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var text = sample
    for _ in 0...Int.random(in: 0...3, using: &generator) {
      guard !text.isEmpty else { return text }
      let at = Int.random(in: 0..<text.count, using: &generator)
      let end = min(text.count, at + Int.random(in: 1...40, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: text[at] = UInt8.random(in: 0...255, using: &generator)
      case 1: text.removeSubrange(at..<end)
      case 2: text.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &generator)], at: at)
      case 3: text.insert(contentsOf: text[at..<end], at: Int.random(in: 0...text.count, using: &generator))
      case 4: text.removeSubrange(at...)
      default: text.replaceSubrange(at..<end, with: pieces[Int.random(in: 0..<pieces.count, using: &generator)])
      }
    }
    return text
  }

  @Test(arguments: ["[", "{", "- ", "? ", "a: {", "[a, ", "&a [", "'", "a: &b\n", "!!a ", "\t", "\r", "*a ", "<<: {"])
  func repetitionIsBounded(piece: String) {
    let text = String(repeating: piece, count: 100_000 / piece.utf8.count)
    #expect(!Fixture.problems(text).isEmpty || piece == "\r" || piece == "\t")
    #expect(Fixture.problems("labels: {a: \(text)").count < 100_000)
  }
}
