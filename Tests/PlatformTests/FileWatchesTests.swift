import Foundation
import Randomness
import Telemetry
import Testing

@testable import Platform

/// File events: one suite over inotify and a recording, and the bytes that the kernel gives.
@Suite struct FileWatchesTests {
  /// A tree with a directory `/box`, real or recorded; what happens in it is done, or told by the recording.
  private final class Subject {
    let root: URL
    let watches: any FileWatches
    let box: String
    private let isLive: Bool

    init(live: Bool, recorded: String = "") throws {
      isLive = live
      root = try HostCallsTests.Recording.write(["file-events": recorded])
      let folder = root.appendingPathComponent("box")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      box = live ? folder.path : "/box"
      watches = try (live ? LinuxCalls() : Host(root: root.path).calls).fileWatches()
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// Does it where it is not recorded.
    func act(_ body: (URL) throws -> Void) rethrows { if isLive { try body(root.appendingPathComponent("box")) } }

    func events() -> [FileEvent] {
      var events: [FileEvent] = []
      while watches.take(into: &events) {}
      return events
    }
  }

  @Test(arguments: [true, false])
  func whatHappensInADirectoryIsTold(live: Bool) throws {
    let subject = try Subject(
      live: live,
      recorded: """
        /box create a
        /box modify a
        /box close_write a
        /box attrib a
        /box moved_from a
        /box moved_to b\\040c
        /box delete b\\040c
        /box create,isdir d
        """)
    let watch = try subject.watches.watch(subject.box, followsLinks: true)
    #expect(try subject.watches.watch(subject.box, followsLinks: true) == watch, "one that is watched keeps its number")
    try subject.act { box in
      let (a, b) = (box.appendingPathComponent("a").path, box.appendingPathComponent("b c").path)
      let file = fopen(a, "w")
      fputs("text", file)
      fclose(file)
      chmod(a, 0o600)
      rename(a, b)
      unlink(b)
      try FileManager.default.createDirectory(atPath: box.appendingPathComponent("d").path, withIntermediateDirectories: false)
    }
    let expected: [(UInt32, String)] = [
      (FileEvent.create, "a"), (FileEvent.modify, "a"), (FileEvent.closeWrite, "a"), (FileEvent.attributes, "a"),
      (FileEvent.movedFrom, "a"), (FileEvent.movedTo, "b c"), (FileEvent.delete, "b c"),
      (FileEvent.create | FileEvent.isDirectory, "d"),
    ]
    #expect(subject.events() == expected.map { FileEvent(watch: watch, mask: $0.0, name: $0.1) })
    if live { #expect(subject.events().isEmpty) }
  }

  @Test(arguments: [true, false])
  func aDirectoryThatGoesEndsItsWatch(live: Bool) throws {
    let subject = try Subject(live: live, recorded: "/box delete_self\n/box ignored\n")
    let watch = try subject.watches.watch(subject.box, followsLinks: true)
    subject.act { rmdir($0.path) }
    let masks = subject.events().map { $0.mask & ~FileEvent.isDirectory }
    #expect(masks.suffix(2) == [FileEvent.deleteSelf, FileEvent.ignored])
    let again = try? subject.watches.watch(subject.box, followsLinks: true)
    #expect(again != watch)
  }

  @Test(arguments: [true, false])
  func onlyDirectoriesAreWatched(live: Bool) throws {
    let subject = try Subject(live: live)
    try Data().write(to: subject.root.appendingPathComponent("box/file"))
    for name in ["none", "file"] {
      #expect(throws: SensorError.absent(subject.box + "/" + name)) {
        try subject.watches.watch(subject.box + "/" + name, followsLinks: true)
      }
    }
  }

  @Test(arguments: [true, false])
  func aLinkIsFollowedWhereThatIsWanted(live: Bool) throws {
    let subject = try Subject(live: live)
    try FileManager.default.createSymbolicLink(
      atPath: subject.root.appendingPathComponent("link").path, withDestinationPath: "box")
    let link = String(subject.box.dropLast(3)) + "link"
    #expect(throws: SensorError.absent(link)) { try subject.watches.watch(link, followsLinks: false) }
    #expect(try subject.watches.watch(subject.box, followsLinks: false) >= 0)
    #expect(try subject.watches.watch(link, followsLinks: true) >= 0)
  }

  @Test func aRecordingMayBarADirectory() throws {
    let subject = try Subject(live: false, recorded: "barred /box\n")
    #expect(throws: SensorError.io(path: "/box", errno: EACCES)) { try subject.watches.watch("/box", followsLinks: true) }
  }

  @Test(arguments: [true, false])
  func aWatchThatEndedIsSilent(live: Bool) throws {
    let subject = try Subject(live: live, recorded: "/box create a\n")
    let watch = try subject.watches.watch(subject.box, followsLinks: true)
    subject.watches.unwatch(watch)
    try subject.act { try Data().write(to: $0.appendingPathComponent("a")) }
    #expect(subject.events().filter { $0.mask & FileEvent.ignored == 0 }.isEmpty)
  }

  @Test func aRecordingMayBeShortOfWatches() throws {
    let subject = try Subject(live: false, recorded: "limit 0\noverflow\n")
    #expect(throws: FileWatchFailure.noWatches) { try subject.watches.watch("/box", followsLinks: true) }
    #expect(subject.events() == [FileEvent(watch: -1, mask: FileEvent.overflow, name: "")])
  }

  // MARK: Bytes

  private static func bytes(_ watch: Int32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
    let head = withUnsafeBytes(of: watch) { Array($0) } + withUnsafeBytes(of: mask) { Array($0) }
    return head + [0, 0, 0, 0] + withUnsafeBytes(of: UInt32(name.count)) { Array($0) } + name
  }

  /// Names are padded with NULs to a multiple of the structure's size, inotify(7).
  @Test func eventsEndWhereOneIsNotWhole() {
    let first = Self.bytes(3, FileEvent.create, Array("name".utf8) + [UInt8](repeating: 0, count: 12))
    let second = Self.bytes(-1, FileEvent.overflow, [])
    let expected = [
      FileEvent(watch: 3, mask: FileEvent.create, name: "name"), FileEvent(watch: -1, mask: FileEvent.overflow, name: ""),
    ]
    #expect(fileEvents((first + second)[...]) == expected)
    for length in 0..<(first + second).count {
      #expect(fileEvents((first + second)[..<length]).count == (length >= first.count ? 1 : 0), "\(length) bytes")
    }
    #expect(fileEvents(Self.bytes(1, 2, [0xFF, 0x2F, 0])[...]).first?.name == "\u{FFFD}/")
  }

  @Test func mutatedBytesComeBack() {
    let seed: UInt64 = 20_261_124
    var generator = SplitMix64(seed: seed)
    let bytes = (0..<40).flatMap { Self.bytes($0, FileEvent.modify, Array("file-\($0)".utf8) + [0, 0, 0]) }
    var count = 0
    for _ in 0..<10_000 {
      let changed = generator.mutated(bytes)
      let events = fileEvents(changed[...])
      #expect(events.count <= changed.count / 16)
      count += events.count
    }
    #expect(count > 0, "seed \(seed)")
  }
}
