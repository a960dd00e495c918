import Foundation
import Telemetry
import Testing

@testable import Platform

@Suite struct MachineCallsTests {
  /// The kernel's own flag in /proc/cpuinfo says whether bit 31 is set.
  @Test func aHypervisorNamesItselfWhereTheKernelSeesOne() throws {
    let cpuinfo = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let flags = cpuinfo.split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
    let signature = LinuxCalls().hypervisorSignature
    #expect((signature != nil) == flags.contains("hypervisor"))
    #expect((signature ?? "").utf8.count <= 12)
  }

  @Test(arguments: [true, false]) func recordedIsWhatWasThere(live: Bool) throws {
    let real = LinuxCalls().hypervisorSignature
    let root = try HostCallsTests.Recording.write(real.map { ["cpuid": "\($0)\n"] } ?? [:])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls: any HostCalls = live ? LinuxCalls() : Host(root: root.path).calls
    #expect(calls.hypervisorSignature == real)
  }

  /// RFC 4231, test cases 1, 2, 6.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0B, count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (Array("Jefe".utf8), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (
      [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ]) func digestsAreThoseOfTheStandard(key: [UInt8], text: String, expected: String) {
    #expect(KeyedDigest.bytes(of: text, key: key).map { String(format: "%02x", $0) }.joined() == expected)
  }

  /// Of every length around the ends of blocks, beside coreutils.
  @Test func digestsAreThoseOfSha256sum() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-digests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    let messages = (0...200).map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 * 151 + count) } }
    let paths = messages.map { root.appendingPathComponent("\($0.count)").path }
    for (message, path) in zip(messages, paths) { try Data(message).write(to: URL(fileURLWithPath: path)) }
    let outcome = try Subprocess.run("/usr/bin/sha256sum", paths, timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
    try #require(outcome.end == .exited(0))
    let sums = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map { String($0.prefix(64)) }
    #expect(messages.map { SHA256.digest($0).map { String(format: "%02x", $0) }.joined() } == sums)
  }
}

@Suite struct LargeFileTests {
  private static func lines(_ bytes: [UInt8]) throws -> [String] {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-lines-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    try Data(bytes).write(to: root.appendingPathComponent("file"))
    var lines: [String] = []
    try Host(root: root.path).lines("/file") { (line) throws(SensorError) in lines.append(line.rest()) }
    return lines
  }

  @Test(arguments: [("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n\nb", ["", "", "b"]), ("a\r\nb\n", ["a\r", "b"])])
  func everyLineIsGivenOnce(text: String, expected: [String]) throws {
    #expect(try Self.lines(Array(text.utf8)) == expected)
  }

  @Test func linesPassTheEndsOfTheBuffer() throws {
    let texts = (0..<20_000).map { "\($0) " + String(repeating: "x", count: $0 % 97) }
    #expect(try Self.lines(Array(texts.joined(separator: "\n").utf8)) == texts)
  }

  @Test(arguments: [-1, 0, 1, 5, 70_000]) func ofALineThatIsTooLongTheBeginningIsGiven(more: Int) throws {
    let count = PlatformLimits.largeFileBuffer + more
    let lines = try Self.lines(Array("a\n".utf8) + [UInt8](repeating: 0x78, count: count) + Array("\nb\n\nc".utf8))
    #expect(lines.count == 5 && lines[0] == "a" && Array(lines[2...]) == ["b", "", "c"])
    #expect(lines[1].utf8.count == min(count, PlatformLimits.largeFileBuffer))
  }

  @Test func whatIsNoFileIsNotRead() {
    #expect(throws: SensorError.absent("/no/such")) { try Host().lines("/no/such") { _ in } }
    #expect(throws: SensorError.malformed(path: "/dev/null", what: "no ordinary file")) { try Host().lines("/dev/null") { _ in } }
  }
}
