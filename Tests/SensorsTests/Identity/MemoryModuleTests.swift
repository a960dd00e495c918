import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Memory modules of an SMBIOS table beside what dmidecode reads of it.
@Suite struct MemoryModuleTests {
  private static func table() throws -> [UInt8] {
    let path = "x86-gateway/sys/firmware/dmi/tables/DMI"
    return [UInt8](try Data(contentsOf: SystemFactsTests.folder.appendingPathComponent(path)))
  }

  /// A file as `dmidecode --dump-bin` writes it: an entry point of SMBIOS 3 (DSP0134, 5.2.2) and the table at 32.
  ///
  /// ```
  ///  0       5        6      7   8  9  10      11       12       16      24      32
  /// ┌───────┬────────┬──────┬─────────┬───────┬────────┬────────┬───────┬───────┬───────
  /// │ _SM3_ │checksum│length│ version │version│reserved│maximum │address│ zeros │ table
  /// └───────┴────────┴──────┴─────────┴───────┴────────┴────────┴───────┴───────┴───────
  /// ```
  private static func dump(_ table: [UInt8]) -> [UInt8] {
    var entry = Array("_SM3_".utf8) + [0, 24, 3, 4, 0, 1, 0]
    entry += withUnsafeBytes(of: UInt32(table.count).littleEndian) { Array($0) }
    entry += [32, 0, 0, 0, 0, 0, 0, 0]
    entry[5] = 0 &- entry.reduce(0, &+)
    return entry + [UInt8](repeating: 0, count: 8) + table
  }

  /// The lines of each memory device that holds something.
  private static func decoded(_ text: String) -> [[String: String]] {
    text.components(separatedBy: "\n\n").filter { $0.contains("Memory Device\n") }.compactMap { block in
      var fields: [String: String] = [:]
      for line in block.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        if parts.count == 2 { fields[parts[0]] = parts[1] }
      }
      return fields["Size"] == "No Module Installed" ? nil : fields
    }
  }

  private static func bytes(_ size: String?) -> Int? {
    let parts = (size ?? "").split(separator: " ")
    let units = ["kB": 10, "MB": 20, "GB": 30, "TB": 40]
    guard parts.count == 2, let number = Int(parts[0]), let shift = units[String(parts[1])] else { return nil }
    return number << shift
  }

  @Test func agreesWithDmidecode() throws {
    let table = try Self.table()
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-dmi-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(Self.dump(table)).write(to: file)
    let answer: ProgramAnswer
    do {
      answer = try Host().program("dmidecode", ["--from-dump", file.path, "-t", "17"], timeoutMilliseconds: 20_000)
    } catch {
      print("skipped: dmidecode is not there")
      return
    }
    let theirs = Self.decoded(String(decoding: answer.output, as: UTF8.self))
    let ours = MemoryModule.all(in: table)
    #expect(ours.count == 3 && theirs.count == 3)
    for (module, fields) in zip(ours, theirs) {
      #expect(module.locator == fields["Locator"])
      #expect(module.bytes == Self.bytes(fields["Size"]))
      #expect(module.type == fields["Type"])
      #expect(module.speed.map { "\($0) MT/s" } == fields["Speed"])
      #expect((module.configuredSpeed.map { "\($0) MT/s" } ?? "Unknown") == fields["Configured Memory Speed"] ?? "Unknown")
      #expect(module.manufacturer == fields["Manufacturer"])
      #expect(module.part == fields["Part Number"])
      // Firmware writes zeros, too, where there is no number.
      #expect((module.serial ?? "0") == fields["Serial Number"])
    }
  }

  @Test func comesBackFromAnyTable() throws {
    let table = try Self.table()
    for length in 0...table.count { _ = MemoryModule.all(in: Array(table[0..<length])) }
    let seed: UInt64 = 20_261_121
    var generator = SplitMix64(seed: seed)
    for _ in 0..<10_000 {
      var changed = table
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      for module in MemoryModule.all(in: changed) {
        #expect((1...(1 << 51)).contains(module.bytes), "seed \(seed)")
        #expect((module.serial?.utf8.count ?? 0) <= MachineLimits.textBytes, "seed \(seed)")
      }
    }
  }
}
