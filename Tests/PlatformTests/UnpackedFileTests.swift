import Foundation
import Randomness
import Telemetry
import Testing

@testable import Platform

/// Files that are packed by gzip or LZ4, read line by line, beside the programs that pack.
@Suite struct UnpackedFileTests {
  private static func lines(_ bytes: [UInt8], unpacking: Bool = true) throws -> [String] {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-packed-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    try Data(bytes).write(to: root.appendingPathComponent("list"))
    var lines: [String] = []
    try Host(root: root.path).lines("/list", unpacking: unpacking) { (line) throws(SensorError) in
      var text: [UInt8] = []
      while let byte = line.next, line.skip(byte: byte) { text.append(byte) }
      lines.append(String(decoding: text, as: UTF8.self))
    }
    return lines
  }

  /// A frame (lz4_Frame_format.md) with one packed block.
  private static func frame(_ block: [UInt8], flags: UInt8 = 0x60, descriptor: UInt8 = 0x40) -> [UInt8] {
    [0x04, 0x22, 0x4D, 0x18, flags, descriptor, 0] + [UInt8(block.count & 255), UInt8(block.count >> 8), 0, 0] + block + [
      0, 0, 0, 0,
    ]
  }

  /// By the words of lz4_Block_format.md: literals; a copy that overlaps itself; lengths of more than one byte.
  @Test func blocksAsTheFormatSays() throws {
    #expect(try Self.lines(Self.frame([0x50] + Array("a\nb\nc".utf8))) == ["a", "b", "c"])
    let overlapping = Self.frame([0x35] + Array("abc".utf8) + [3, 0, 0x50] + Array("defgh".utf8))
    #expect(try Self.lines(overlapping) == ["abcabcabcabcdefgh"])
    let run = Self.frame([0x1F] + Array("x".utf8) + [1, 0, 255, 255, 0, 0x50] + Array("yyyyy".utf8))
    #expect(try Self.lines(run) == [String(repeating: "x", count: 1 + 4 + 15 + 255 + 255) + "yyyyy"])
    let long = Self.frame([0xF0, 255, 3] + [UInt8](repeating: 0x7A, count: 15 + 255 + 3))
    #expect(try Self.lines(long) == [String(repeating: "z", count: 273)])
  }

  @Test(
    arguments: [
      // An offset of nothing, and one before the beginning; literals that are not there; no literals at the end; no more of a length.
      [0x10, 0x61, 0, 0, 0x10, 0x61], [0x10, 0x61, 2, 0, 0x10, 0x61], [0x40, 0x61], [0x10, 0x61, 1, 0], [0x10, 0x61, 1],
      [0xF0, 255],
      [0x1F, 0x61, 1, 0, 255], [],
    ] as [[UInt8]])
  func damagedBlocksAreRefused(block: [UInt8]) {
    #expect(throws: SensorError.self) {
      let lines = try Self.lines(Self.frame(block) + [1])
      // An empty block is the end of the frame.
      if block.isEmpty, lines.isEmpty { throw SensorError.timedOut }
    }
  }

  @Test func whatIsNotReadIsSaid() throws {
    let block: [UInt8] = [0x10, 0x61]
    for frame in [Self.frame(block, flags: 0xA0), Self.frame(block, flags: 0x61), Self.frame(block, descriptor: 0x30)] {
      #expect(throws: SensorError.malformed(path: "/list", what: "a form of LZ4 that is not read")) { try Self.lines(frame) }
    }
    // More than the 64 KiB that the frame allows for a block.
    let bomb: [UInt8] = [0x1F, 0x61, 1, 0] + [UInt8](repeating: 255, count: 300) + [0, 0x10, 0x61]
    #expect(throws: SensorError.malformed(path: "/list", what: "LZ4 that is damaged or breaks off")) {
      try Self.lines(Self.frame(bomb))
    }
    #expect(throws: SensorError.malformed(path: "/list", what: "LZ4 that is damaged or breaks off")) {
      try Self.lines(Array(Self.frame(block).dropLast(3)))
    }
    #expect(throws: SensorError.malformed(path: "/list", what: "gzip that is damaged or breaks off")) {
      try Self.lines([0x1F, 0x8B, 8])
    }
    #expect(try Self.lines([0x1F, 0x8B, 0x0A, 0x61], unpacking: false).last == "a", "only where it is wanted")
    #expect(try Self.lines(Array("plain\ntext".utf8)) == ["plain", "text"])
    #expect(try Self.lines([]) == [])
  }

  private static let text: String = {
    var generator = SplitMix64(seed: 20_261_157)
    let words = (0..<200).map { _ in String(UInt64.random(in: 0...UInt64.max, using: &generator), radix: 36) }
    return (0..<20_000).map { _ in
      words[Int.random(in: 0..<200, using: &generator)] + " " + words[Int.random(in: 0..<200, using: &generator)]
    }
    .joined(separator: "\n")
  }()

  /// What a program of the system makes of its input; nil, with a line that says so, where it is missing.
  private static func packed(_ program: String, _ options: [String]) throws -> [UInt8]? {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      print("skipped: \(program) is not installed")
      return nil
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-text-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    let outcome = try Subprocess.run(program, options + ["-c", file.path], timeoutMilliseconds: 60_000, outputBytes: 4 << 20)
    #expect(outcome.end == .exited(0))
    return Array(outcome.output)
  }

  @Test(arguments: [
    ("/usr/bin/gzip", ["-1"]), ("/usr/bin/gzip", ["-9"]), ("/usr/bin/lz4", ["-1", "-B4", "-BD"]),
    ("/usr/bin/lz4", ["-9", "-B5", "-BX"]),
    ("/usr/bin/lz4", ["-B6", "--content-size"]), ("/usr/bin/lz4", ["-12", "-B7", "-BD", "--no-frame-crc"]),
    ("/usr/bin/lz4", ["--fast=65537"]),
  ])
  func agreesWithTheProgramsThatPack(program: String, options: [String]) throws {
    guard let bytes = try Self.packed(program, options) else { return }
    let lines = try Self.lines(bytes)
    #expect(lines.joined(separator: "\n") == Self.text)
  }

  @Test func aFileOfGzipMayHaveSeveralMembers() throws {
    guard let bytes = try Self.packed("/usr/bin/gzip", []) else { return }
    let count = Self.text.split(separator: "\n").count
    #expect(try Self.lines(bytes + bytes).count == 2 * count - 1, "the last line has no end")
    #expect(try Self.lines(bytes + [0, 0, 0]).count == count, "what stands behind them is nothing")
  }
}
