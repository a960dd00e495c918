import Foundation
import Testing

/// The buffer of a device that lost power, copied or mounted elsewhere: all that was committed is read, by whoever may read the files, also
/// where nothing can be written.
@Suite struct CardTests {
  enum Place: CaseIterable {
    /// Of another user, without a right to write.
    case readOnlyFolder
    /// Where not even root can write.
    case readOnlyMount
    /// Where SQLite may make its own files.
    case ownFolder
  }

  /// A buffer whose writer was killed with blocks sealed and commits in the log, and the last number whose commit had returned.
  private struct Source {
    let folder: TemporaryFolder
    let committed: UInt64
    var path: String { folder.path(of: "buffer.db") }

    init() throws {
      var found: (folder: TemporaryFolder, committed: UInt64)?
      // A kill right after a checkpoint leaves an empty log: then it is done again.
      for _ in 0..<20 where found == nil {
        let folder = try TemporaryFolder()
        let writer = try ChildProcess(
          AgentProcess.builtBeside("KillableWriter"), [folder.path(of: "buffer.db")], name: "writer", in: folder)
        let reached = holdsEventually(timeout: 30) { Source.last(writer.output) >= 300 }
        writer.kill()
        guard reached else { throw ChildProcess.Failure(description: "the writer is stuck: \(writer.output.suffix(200))") }
        let log = try FileManager.default.attributesOfItem(atPath: folder.path(of: "buffer.db-wal"))[.size] as? Int
        if log ?? 0 > 0 { found = (folder, Source.last(writer.output)) }
      }
      (folder, committed) = try #require(found, "a log with commits in it")
    }

    /// The number in the last whole line.
    private static func last(_ output: String) -> UInt64 {
      output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().last.flatMap { UInt64($0) } ?? 0
    }

    func copy(_ suffixes: [String], to target: String) throws {
      for suffix in suffixes {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: target + "/buffer.db" + suffix)
        chmod(target + "/buffer.db" + suffix, 0o644)
      }
    }
  }

  /// A place with some of the files in it, and the command line of whoever stands there.
  private final class Card {
    let folder: TemporaryFolder
    let path: String
    private let program: [String]
    private let disk: SmallDisk?

    /// Nil, with a line that says why, where this process has no right to make it.
    init?(_ place: Place, _ source: Source, _ suffixes: [String]) throws {
      folder = try TemporaryFolder()
      var directory = folder.path(of: "card")
      var program = [AgentProcess.program("godwit")]
      var disk: SmallDisk?
      if place == .readOnlyMount {
        guard SmallDisk.isPermitted else { return nil }
        disk = try SmallDisk(bytes: 16 << 20)
        directory = disk?.folder.path ?? directory
      } else {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // Root writes where the mode forbids it.
        if getuid() == 0 {
          guard let nobody = try Nobody.launcher("godwit", in: folder) else { return nil }
          program = nobody
        }
      }
      try source.copy(suffixes, to: directory)
      if place == .ownFolder, getuid() == 0 {
        for name in [directory] + suffixes.map({ directory + "/buffer.db" + $0 }) { chown(name, Nobody.id, Nobody.id) }
      }
      if place == .readOnlyFolder { chmod(directory, 0o555) }
      try disk?.remount("ro")
      path = directory + "/buffer.db"
      (self.program, self.disk) = (program, disk)
    }

    deinit { chmod(folder.path(of: "card"), 0o755) }

    func godwit(_ arguments: String...) throws -> (end: ChildProcess.End, output: String, errors: String) {
      try ChildProcess.run(program[0], program.dropFirst() + arguments + ["--buffer", path], in: folder)
    }

    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent).sorted() }
    }
  }

  @Test(arguments: Place.allCases, [["", "-wal", "-shm"], ["", "-wal"]])
  func whatWasCommittedIsRead(_ place: Place, _ suffixes: [String]) throws {
    let source = try Source()
    guard let card = try Card(place, source, suffixes) else { return }
    let before = try card.names
    let export = try card.godwit("export")
    #expect(export.end == .exited(0) && export.errors.isEmpty, "\(export.errors)")
    let ticks = try export.output.split(separator: "\n").map { try JSONDecoder().decode(WireTick.self, from: Data($0.utf8)) }
    let byNumber = Dictionary(ticks.map { ($0.seq, $0.m["t.value"]) }) { first, _ in first }
    #expect(byNumber.count == ticks.count)
    // The commit that was under way may be there, too.
    let last = try #require(byNumber.keys.max())
    #expect(last >= source.committed && last <= source.committed + 3)
    #expect((1...last).allSatisfy { byNumber[$0] == Double($0) / 2 })

    let verified = try card.godwit("buffer", "verify")
    #expect(verified.end == .exited(0) && verified.output.contains("good"), "\(verified)")
    let info = try card.godwit("buffer", "info", "--json")
    #expect(info.end == .exited(0) && info.errors.isEmpty, "\(info.errors)")
    let count = try card.godwit("sql", "SELECT count(*), max(value) FROM samples", "--csv")
    #expect(
      count.end == .exited(0) && count.output.hasSuffix("\r\n\(ticks.count),\(number(last))\r\n"),
      "\(count)")
    let history = try card.godwit("history", "t.value", "--since", "365d", "--table")
    #expect(history.end == .exited(0) && history.output.contains("t.value"), "\(history.errors)")
    let status = try card.godwit("status", "--json")
    #expect(status.end == .exited(0) && status.output.contains("\"source\":\"buffer\""), "\(status.errors)")
    let compacted = try card.godwit("buffer", "compact")
    if place == .ownFolder {
      #expect(compacted.end == .exited(0) && compacted.errors.isEmpty, "\(compacted.errors)")
    } else {
      #expect(compacted.end == .exited(1) && compacted.errors.contains("compacting writes beside the buffer"), "\(compacted)")
      try #expect(card.names == before, "nothing is made beside it")
    }
  }

  /// Without its log the newest commits are lacking, and the last copying back may be half done: what is read is right, or it is said that
  /// nothing can be.
  @Test(arguments: Place.allCases) func withoutItsLogNothingWrongIsRead(_ place: Place) throws {
    let source = try Source()
    guard let card = try Card(place, source, [""]) else { return }
    let export = try card.godwit("export")
    for line in export.output.split(separator: "\n") {
      let tick = try JSONDecoder().decode(WireTick.self, from: Data(line.utf8))
      #expect(tick.m["t.value"] == Double(tick.seq) / 2)
    }
    #expect(
      export.end == .exited(0) || (export.end == .exited(1) && export.errors.hasPrefix("godwit: ")),
      "\(export.end) \(export.errors)")
  }

  /// The power went while the header of the log was being written: there is no commit in it.
  @Test(arguments: Place.allCases) func aLogOfItsHeaderAlone(_ place: Place) throws {
    let source = try Source()
    try #require(truncate(source.path + "-wal", 32) == 0)
    guard let card = try Card(place, source, ["", "-wal", "-shm"]) else { return }
    let count = try card.godwit("sql", "SELECT count(*) > 0, min(value * 2), max(value * 2) = count(*) FROM samples", "--csv")
    #expect(count.end == .exited(0) && count.output.hasSuffix("\r\n1,1,1\r\n"), "\(count)")
  }

  private func number(_ sequence: UInt64) -> String { sequence % 2 == 0 ? "\(sequence / 2)" : "\(sequence / 2).5" }
}
