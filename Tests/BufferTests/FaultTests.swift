import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct FaultTests {
  /// A buffer with some of everything, its log not yet copied back.
  private static func filled(_ scratch: Scratch) throws -> Recorder {
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 1_000, synced: true)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition(next: 3, owed: [1...1])]
    recorder.transaction.events = [
      StoredEvent(id: 1, epoch: 1, milliseconds: 0, kind: "started", severity: .info, message: "started")
    ]
    try recorder.tick(500)
    return recorder
  }

  /// Everything that agent and command line do with a file; errors are what is hoped for.
  private static func use(_ scratch: Scratch) -> Set<BufferError.Kind> {
    var kinds: Set<BufferError.Kind> = []
    func attempt(_ body: () throws -> Void) {
      do { try body() } catch let error as BufferError { kinds.insert(error.kind) } catch { Issue.record(error) }
    }
    attempt {
      let reader = try BufferReader(path: scratch.path)
      attempt { _ = try reader.ticks(0...(.max)) { _ in true } }
      attempt { _ = try reader.ticks(wall: .min ... .max) { _ in true } }
      attempt { _ = try reader.state() }
      attempt { _ = try reader.events(after: 0, limit: 1_000) }
    }
    attempt {
      var recorder = try Recorder(scratch)
      recorder.begin(boot: "b", offset: 5, synced: true)
      attempt { try recorder.tick(20) }
      attempt {
        let policy = RetentionPolicy(retainMilliseconds: 1_000, maximumBytes: 1 << 20)
        _ = try recorder.writer.makeRoom(policy, now: 2_000_000, boot: "b", bootNow: 2_000_000)
      }
      attempt { try recorder.writer.checkpoint() }
    }
    return kinds
  }

  @Test(arguments: [21, 22, 23, 24] as [UInt64])
  func flippedBytesAreErrorsNotCrashes(seed: UInt64) throws {
    let source = try Scratch()
    let recorder = try Self.filled(source)
    var random = SplitMix64(seed: seed)
    for inLog in [false, true] {
      if !inLog { try recorder.writer.checkpoint() } else { var more = recorder; try more.tick(200) }
      for round in 0..<25 {
        let target = try Scratch()
        try source.copy(to: target)
        let suffix = inLog ? "-wal" : ""
        var bytes = try target.load(suffix)
        for _ in 0...Int(random.next() % 40) {
          bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
        try target.store(bytes, suffix)
        let kinds = Self.use(target)
        // SQLite calls a page number beyond all pages a full disk when it comes upon it while writing.
        #expect(kinds.isSubset(of: [.corrupt, .foreign, .newer, .full]), "seed \(seed), round \(round), log \(inLog): \(kinds)")
      }
    }
  }

  @Test(arguments: [31, 32] as [UInt64])
  func aDamagedHeadOfOursIsCorruptAndSetAside(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let scratch = try Scratch()
    let recorder = try Self.filled(scratch)
    try recorder.writer.checkpoint()
    let good = try scratch.load()
    let wiped = [UInt8](repeating: 0, count: 4_096) + good.dropFirst(4_096)
    let magicLost = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) } + good.dropFirst(16)
    var otherIdentity = good
    otherIdentity[68] ^= 0x10
    var otherVersion = good
    otherVersion[61] ^= 0x40
    for bytes in [wiped, magicLost, otherIdentity, otherVersion, Array(good.prefix(60)), Array(good.prefix(4_096))] {
      let target = try Scratch()
      try target.store(Array(bytes))
      let error = #expect(throws: BufferError.self) { try BufferWriter(path: target.path, node: "n", policy: Recorder.roomy) }
      #expect(error?.kind == .corrupt, "\(String(describing: error))")
      let aside = try Quarantine.setAside(path: target.path, wallMilliseconds: 1_700_000_000_123)
      #expect(aside == target.path + ".damaged-1700000000")
      let fresh = try BufferWriter(path: target.path, node: "n", policy: Recorder.roomy).opening
      #expect(fresh.nextSequence == 1)
      #expect(Quarantine.unusedSequence(setAside: aside, wallMilliseconds: 1_700_000_000_123) >= 1_700_000_000_123)
    }
  }

  @Test func foreignAndNewerFilesAreRefusedAndLeftAlone() throws {
    let scratch = try Scratch()
    let text = Array(String(repeating: "root:x:0:0:root:/root:/bin/bash\n", count: 200).utf8)
    try scratch.store(text)
    let notADatabase = #expect(throws: BufferError.self) {
      try BufferWriter(path: scratch.path, node: "n", policy: Recorder.roomy)
    }
    #expect(notADatabase?.kind == .foreign)
    #expect(try scratch.load() == text)

    let other = try Scratch()
    do {
      let database = try Database(path: other.path, mode: .writer)
      try database.execute("CREATE TABLE tick(a); INSERT INTO tick VALUES(1)")
    }
    let before = try other.load()
    let anothersDatabase = #expect(throws: BufferError.self) {
      try BufferWriter(path: other.path, node: "n", policy: Recorder.roomy)
    }
    #expect(anothersDatabase?.kind == .foreign)
    #expect(try other.load() == before)

    let newer = try Scratch()
    _ = try Self.filled(newer)
    try Database(path: newer.path, mode: .writer).execute("PRAGMA user_version = \(Schema.version + 1)")
    for open in [
      { _ = try BufferWriter(path: newer.path, node: "n", policy: Recorder.roomy) }, { _ = try BufferReader(path: newer.path) },
    ] {
      let error = #expect(throws: BufferError.self) { try open() }
      #expect(error?.kind == .newer)
    }
    let nothing = #expect(throws: BufferError.self) { try BufferReader(path: newer.path + "x") }
    #expect(nothing?.kind == .cannotOpen)
  }

  @Test func setAsideFilesAreFew() throws {
    let scratch = try Scratch()
    for second in [900, 1_000, 1_000, 1_001, 5] as [Int64] {
      try scratch.store([1, 2, 3])
      try scratch.store([4], "-wal")
      let aside = try Quarantine.setAside(path: scratch.path, wallMilliseconds: second * 1_000)
      #expect(FileHeader.bytes(aside) == 3 && FileHeader.bytes(aside + "-wal") == 1)
      #expect(FileHeader.bytes(scratch.path) == nil && FileHeader.bytes(scratch.path + "-wal") == nil)
    }
    // The newest of the others, and the one just made though its clock was wrong.
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.folder).sorted()
    #expect(names == ["buffer.db.damaged-1001", "buffer.db.damaged-1001-wal", "buffer.db.damaged-5", "buffer.db.damaged-5-wal"])
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aFullDiskCostsNothingThatWasCommitted() throws {
    let disk = try SmallDisk(bytes: 2 << 20)
    let scratch = disk.scratch
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(100)
    let ballast = scratch.folder + "/ballast"
    try Data().write(to: URL(filePath: ballast))
    let handle = try #require(FileHandle(forWritingAtPath: ballast))
    while (try? handle.write(contentsOf: Data(count: 4_096))) != nil {}
    try handle.close()
    var failure: BufferError?
    while failure == nil {
      do { try recorder.tick(10) } catch let error as BufferError { failure = error }
    }
    #expect([.full, .io].contains(failure?.kind))
    let first = try #require(recorder.transaction.ticks.first?.sequence)
    #expect(throws: BufferError.self) { try recorder.commit() }
    // Nothing of it is half there, and readers go on.
    #expect(try BufferReader(path: scratch.path).extent() == 1...(first - 1))
    try FileManager.default.removeItem(atPath: ballast)
    try recorder.commit()
    try recorder.tick(10)
    #expect(try sequences(BufferReader(path: scratch.path)).found == Array(1..<recorder.sequence))
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aDeadAgentsLogIsReadOnReadOnlyMedia() throws {
    let source = try Scratch()
    let recorder = try Self.filled(source)
    for suffixes in [["", "-wal"], ["", "-wal", "-shm"]] {
      let disk = try SmallDisk(bytes: 8 << 20)
      try source.copy(suffixes, to: disk.scratch)
      try disk.remount("ro")
      let reader = try BufferReader(path: disk.scratch.path)
      #expect(!reader.isWithoutLog)
      #expect(try sequences(reader).found == Array(1...500), "\(suffixes)")
      let error = #expect(throws: BufferError.self) {
        try BufferWriter(path: disk.scratch.path, node: "edge-01", policy: Recorder.roomy)
      }
      #expect([.readOnly, .cannotOpen].contains(error?.kind), "\(String(describing: error))")
    }
    try recorder.writer.checkpoint()
    for suffixes in [[""], ["", "-wal"], ["", "-shm"], ["", "-wal", "-shm"]] {
      let disk = try SmallDisk(bytes: 8 << 20)
      try source.copy(suffixes, to: disk.scratch)
      try disk.remount("ro")
      let reader = try BufferReader(path: disk.scratch.path)
      #expect(!reader.isWithoutLog)
      #expect(try sequences(reader).found == Array(1...500), "\(suffixes)")
    }
  }

  @Test func whatWasCommittedSurvivesAPowerCutAtAnyByteOfTheLog() throws {
    let source = try Scratch()
    var recorder = try Recorder(source)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(10)
    var committed: [(bytes: Int, last: UInt64)] = []
    for _ in 0..<30 {
      try recorder.tick(10)
      committed.append((source.bytes(["-wal"]), recorder.sequence - 1))
    }
    let log = try source.load("-wal")
    var random = SplitMix64(seed: 41)
    for _ in 0..<60 {
      let cut = Int(random.next() % UInt64(log.count))
      let target = try Scratch()
      try source.copy([""], to: target)
      try target.store(Array(log.prefix(cut)), "-wal")
      let expected = committed.last { $0.bytes <= cut }?.last
      guard let expected else { continue }
      let found = try sequences(BufferReader(path: target.path)).found
      #expect(found == Array(1...expected), "seed 41, cut at \(cut)")
    }
  }

  @Test func readersAndWriterDoNotWaitForEachOtherAndTwoWritersSaySo() throws {
    let scratch = try Scratch()
    var recorder = try Self.filled(scratch)
    let reader = try BufferReader(path: scratch.path)
    var seen = 0
    _ = try reader.ticks(1...500) { _ in
      seen += 1
      if seen % 100 == 0 { try? recorder.tick(10) }
      return true
    }
    #expect(seen == 500)
    #expect(try reader.extent() == 1...550)
    let second = try BufferWriter(path: scratch.path, node: "edge-01", policy: Recorder.roomy)
    try second.database.execute("BEGIN IMMEDIATE")
    recorder.writer.database.wait(milliseconds: 10)
    let error = #expect(throws: BufferError.self) { try recorder.tick(10) }
    #expect(error?.kind == .busy)
    try second.database.execute("ROLLBACK")
    try recorder.commit()
    #expect(try reader.extent() == 1...560)
  }
}
