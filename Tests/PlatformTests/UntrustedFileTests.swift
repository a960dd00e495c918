import Foundation
import Platform
import Telemetry
import Testing

/// Files that anybody may have put there.
@Suite final class UntrustedFileTests {
  private let root: URL
  private let host: Platform.Host

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-untrusted-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root.appendingPathComponent("folder"), withIntermediateDirectories: true)
    host = Platform.Host(root: root.path, calls: LinuxCalls())
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  private func write(_ name: String, _ count: Int) throws {
    try Data(repeating: 7, count: count).write(to: root.appendingPathComponent(name))
  }

  @Test(arguments: [0, 1, 4096]) func anOrdinaryFileIsReadWhole(count: Int) throws {
    try write("file", count)
    let (bytes, age) = try host.untrustedFile("/file", limit: 4096)
    #expect(bytes == [UInt8](repeating: 7, count: count))
    #expect(age.magnitude < 600_000)
  }

  @Test func oneByteTooMuchIsRefused() throws {
    try write("file", 4097)
    #expect(throws: SensorError.malformed(path: "/file", what: "larger than 4096 bytes")) {
      try host.untrustedFile("/file", limit: 4096)
    }
  }

  /// tmpfs, as `/tmp` often is, keeps whatever a file's owner says; in milliseconds these need more than 64 bits.
  @Test(arguments: [1 << 62, Int.max, -(1 << 62), Int.min]) func aTimeThatCannotBeIsVeryFarAway(seconds: Int) throws {
    let path = "/dev/shm/godwit-untrusted-\(UUID().uuidString)"
    try #require(FileManager.default.createFile(atPath: path, contents: Data([7])))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
    try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
    let age = try Platform.Host(root: "", calls: LinuxCalls()).untrustedFile(path, limit: 10).ageMilliseconds
    #expect(seconds > 0 ? age < -(1 << 50) : age > 1 << 50)
  }

  @Test func aLinkIsNotFollowed() throws {
    try write("file", 1)
    try FileManager.default.createSymbolicLink(atPath: root.path + "/link", withDestinationPath: "file")
    #expect(throws: SensorError.malformed(path: "/link", what: "no ordinary file")) {
      try host.untrustedFile("/link", limit: 10)
    }
  }

  /// Opened for reading it would wait for a writer, for ever.
  @Test func aPipeHoldsNobodyUp() throws {
    try #require(mkfifo(root.path + "/pipe", 0o600) == 0)
    #expect(throws: SensorError.malformed(path: "/pipe", what: "no ordinary file")) {
      try host.untrustedFile("/pipe", limit: 10)
    }
  }

  @Test func aFolderIsNoFile() {
    #expect(throws: SensorError.malformed(path: "/folder", what: "no ordinary file")) {
      try host.untrustedFile("/folder", limit: 10)
    }
  }

  @Test func whatIsNotThereIsAbsent() {
    #expect(throws: SensorError.absent("/none")) { try host.untrustedFile("/none", limit: 10) }
  }

  @Test func itsAgeIsThatOfItsLastWriting() throws {
    try write("file", 1)
    let hourAgo = Date(timeIntervalSinceNow: -3600)
    try FileManager.default.setAttributes([.modificationDate: hourAgo], ofItemAtPath: root.path + "/file")
    let age = try host.untrustedFile("/file", limit: 10).ageMilliseconds
    #expect((3_600_000...4_200_000).contains(age))
  }
}
