import Foundation
import Platform
import Profile
import Randomness
import Telemetry
import Testing

@testable import Sensors

@Suite struct ChipFileTests {
  static let names = ShippedChips.files.names

  @Test func theChipsThatAreNamedAreThere() {
    let wanted: Set = [
      "tmp102", "lm75", "lm75b", "ina219", "ina226", "ds3231", "ads1115", "ads1115_differential", "pcf8591", "max17040",
      "max17048",
      "sht3x", "bmp280", "bme280",
    ]
    #expect(wanted.isSubset(of: Self.names))
  }

  @Test(arguments: names) func isGood(name: String) throws {
    let path = "\(CaseRun.hardware)/chips/\(name).yaml"
    let chip = try ChipFiles.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))), id: name, file: path)
    #expect(chip.id == name)
    #expect(chip.summary.hasSuffix("."))
    #expect(chip.values.allSatisfy { ChipQuantity.all.contains($0.quantity) })
    // Waits must leave room for others within a sample.
    var waited = 0
    for case .wait(let milliseconds) in chip.start + chip.steps { waited += milliseconds }
    #expect(waited <= 100)
  }

  @Test(arguments: names) func hasItsCases(name: String) {
    let cases = CaseTests.folder.appendingPathComponent("i2c").path
    for folder in [name, "\(name)-faults"] {
      #expect(FileManager.default.fileExists(atPath: "\(cases)/\(folder)/expected"), "Cases/i2c/\(folder)")
    }
  }

  /// Reads any bytes by any description: values or faults come back, and nothing else.
  @Test func changedDescriptionsNeitherCrashNorReachBeyondTheirBytes() throws {
    let given = ProcessInfo.processInfo.environment["GODWIT_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 1...UInt64.max)
    print("chip files: GODWIT_SEED=\(seed)")
    var generator = SplitMix64(seed: seed)
    var good = 0
    let texts = try Self.names.map { try Data(contentsOf: URL(fileURLWithPath: "\(CaseRun.hardware)/chips/\($0).yaml")) }
    for _ in 0..<4_000 {
      let text = mutated([UInt8](texts[Int.random(in: texts.indices, using: &generator)]), &generator)
      do throws(ProfileProblems) {
        run(try ChipFiles.parse(text, id: "changed", file: "changed.yaml"), &generator)
        good += 1
      } catch {
        let isTold = !error.problems.isEmpty && error.problems.allSatisfy { !$0.what.isEmpty && !$0.remedy.isEmpty }
        if !isTold { Issue.record("seed \(seed): a problem is not told") }
      }
    }
    #expect(good > 100, "seed \(seed): nearly nothing passes, so nearly nothing was run")
  }

  private func mutated(_ sample: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var text = sample
    let pieces = ["0", "9", "-1", "65536", "0xFF", "s24", "u32", "little", "{}", "[]", "\n", ": ", "- ", "1/0", "1e308", "|"]
    for _ in 0...Int.random(in: 0...2, using: &generator) {
      let at = Int.random(in: 0..<text.count, using: &generator)
      let end = min(text.count, at + Int.random(in: 1...8, using: &generator))
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: text[at] = UInt8.random(in: 0x30...0x39, using: &generator)
      case 1: if end - at < text.count { text.removeSubrange(at..<end) }
      case 2: text.insert(contentsOf: Array(pieces[Int.random(in: pieces.indices, using: &generator)].utf8), at: at)
      default: text.replaceSubrange(at..<end, with: Array(pieces[Int.random(in: pieces.indices, using: &generator)].utf8))
      }
    }
    return text
  }

  private func run(_ chip: ChipDescription, _ generator: inout SplitMix64) {
    var options: [String: Double] = [:]
    for option in chip.options { options[option.name] = option.choices.first?.number ?? option.range.upperBound }
    let device = ChipDevice(chip: chip.id, description: .known(chip), address: 0x48, options: options)
    var program = ChipProgram(chip, device: device) { _ in }
    _ = try? program.read(RandomBus(generator))
    let evaluation = ChipEvaluation(chip, options: options)
    #expect(evaluation.values(of: [:]).count == chip.values.count)
  }

  /// Answers anything, at times fewer bytes than were asked for.
  private final class RandomBus: I2CBus {
    private var generator: SplitMix64

    init(_ generator: SplitMix64) { self.generator = generator }

    func transfer(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
      var bytes: [UInt8] = []
      for case .read(let count) in messages {
        for _ in 0..<count { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
      }
      if Int.random(in: 0..<16, using: &generator) == 0 { bytes = Array(bytes.dropLast()) }
      return bytes
    }
  }
}
