import Foundation
import Telemetry
import Testing

@testable import Platform

/// One suite over both implementations of `HostCalls`: the running kernel, and its answers recorded into a `.host` directory.
@Suite struct HostCallsTests {
  /// The calls under test. A class, so that the recording goes away with it.
  final class Subject {
    let calls: any HostCalls
    private let directory: URL?

    init(live: Bool) throws {
      guard !live else {
        (calls, directory) = (LinuxCalls(), nil)
        return
      }
      let directory = try Recording.make()
      self.directory = directory
      calls = Host(root: directory.path).calls
    }

    deinit {
      if let directory { try? FileManager.default.removeItem(at: directory) }
    }
  }

  /// Writes what the kernel answers as `RecordedCalls` documents it.
  enum Recording {
    static func make() throws -> URL {
      let live = LinuxCalls()
      let usage = try live.fileSystemUsage("/")
      let clock = try live.clockState()
      let numbers = [usage.totalBytes, usage.freeBytes, usage.availableBytes, usage.totalInodes, usage.freeInodes]
      return try write([
        "statvfs": "/other 1 2 3 4 5 ro\n/ \(numbers.map { "\($0)" }.joined(separator: " ")) \(usage.readOnly ? "ro" : "rw")\n",
        "adjtimex":
          "\(clock.synchronized ? "" : "un")synchronized \(fixed(clock.offsetSeconds)) \(fixed(clock.estimatedErrorSeconds))\n",
        "sysconf": "\(live.clockTicksPerSecond) \(live.pageBytes)\n",
      ])
    }

    static func write(_ files: [String: String]) throws -> URL {
      let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-calls-\(UUID().uuidString)")
      let host = root.appendingPathComponent(".host")
      try FileManager.default.createDirectory(at: host, withIntermediateDirectories: true)
      for (name, text) in files {
        let folder = host.appendingPathComponent(name).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try text.write(to: host.appendingPathComponent(name), atomically: true, encoding: .utf8)
      }
      return root
    }

    private static func fixed(_ seconds: Double) -> String { String(format: "%.9f", seconds) }
  }

  @Test(arguments: [true, false])
  func usageOfTheRootIsCoherent(live: Bool) throws {
    let subject = try Subject(live: live)
    let usage = try subject.calls.fileSystemUsage("/")
    #expect(usage.totalBytes > 0)
    #expect(usage.freeBytes <= usage.totalBytes)
    #expect(usage.availableBytes <= usage.freeBytes)
    #expect(usage.freeInodes <= usage.totalInodes)
    // Sizes do not change while the test runs; how much is free may.
    let kernel = try LinuxCalls().fileSystemUsage("/")
    #expect(usage.totalBytes == kernel.totalBytes)
    #expect(usage.readOnly == kernel.readOnly)
  }

  @Test(arguments: [true, false])
  func anUnknownMountIsAbsent(live: Bool) throws {
    let subject = try Subject(live: live)
    #expect(throws: SensorError.absent("/no/such/mount")) { try subject.calls.fileSystemUsage("/no/such/mount") }
  }

  @Test(arguments: [true, false])
  func theClockHasAFiniteState(live: Bool) throws {
    let subject = try Subject(live: live)
    let state = try subject.calls.clockState()
    #expect(state.offsetSeconds.magnitude < 1_000)
    #expect(state.estimatedErrorSeconds >= 0 && state.estimatedErrorSeconds < 10_000)
    #expect(state.synchronized == (try LinuxCalls().clockState().synchronized))
  }

  @Test(arguments: [true, false])
  func theConstantsAreThoseOfTheKernel(live: Bool) throws {
    let subject = try Subject(live: live)
    #expect(subject.calls.clockTicksPerSecond == 100)
    #expect(subject.calls.pageBytes == Int(getpagesize()))
  }

  @Test(arguments: [true, false])
  func withoutTheFirmwareOfARaspberryPiItIsAbsent(live: Bool) throws {
    let hasMailbox = ["/dev/vcio_gencmd", "/dev/vcio"].contains { FileManager.default.fileExists(atPath: $0) }
    if live && hasMailbox { return }
    let subject = try Subject(live: live)
    #expect(throws: SensorError.absent(live ? "/dev/vcio" : "/vcio")) { try subject.calls.firmwareCommand("get_throttled") }
  }

  @Test(arguments: [true, false])
  func aFirmwareCommandThatDoesNotFitIsAbsent(live: Bool) throws {
    let subject = try Subject(live: live)
    for command in ["", String(repeating: "x", count: 4096)] {
      #expect {
        _ = try subject.calls.firmwareCommand(command)
      } throws: { error in
        if case SensorError.absent = error { return true }
        return false
      }
    }
  }

  @Test(arguments: [true, false])
  func anUnknownDriveIsAbsent(live: Bool) throws {
    let subject = try Subject(live: live)
    let place = live ? "/dev/nvme99" : "/nvme/nvme99"
    #expect(throws: SensorError.absent(place)) { try subject.calls.nvmeHealthLog("nvme99") }
  }

  @Test func aDrivesLogIsRecordedAsHexadecimalDigits() throws {
    let bytes = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let digits = bytes.map { String(format: "%02x", $0) }
    let lines = stride(from: 0, to: 512, by: 16).map { digits[$0..<$0 + 16].joined(separator: " ") + "\n" }
    let root = try Recording.write([
      "nvme/nvme0": lines.joined(), "nvme/nvme1": digits.joined().uppercased(), "nvme/nvme2": "!\n", "nvme/nvme3": "zz",
      "nvme/nvme4": "00",
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls = Host(root: root.path).calls
    #expect(try calls.nvmeHealthLog("nvme0") == bytes)
    #expect(try calls.nvmeHealthLog("nvme1") == bytes)
    #expect(throws: LinuxCalls.barredNVMe("/dev/nvme2")) { try calls.nvmeHealthLog("nvme2") }
    for damaged in ["nvme3", "nvme4"] {
      #expect(throws: SensorError.self) { try calls.nvmeHealthLog(damaged) }
    }
  }

  @Test(arguments: [true, false])
  func aFileWrittenNowIsNew(live: Bool) throws {
    let subject = try Subject(live: live)
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    #expect(subject.calls.fileAge("/tmp/new", modifiedMilliseconds: now).magnitude < 600_000)
  }

  @Test func agesAreRecordedByPath() throws {
    let root = try Recording.write(["file-ages": "/tmp/My\\040File 1501\n/tmp/later -20\n"])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls = Host(root: root.path).calls
    #expect(calls.fileAge("/tmp/My File", modifiedMilliseconds: 0) == 1501)
    #expect(calls.fileAge("/tmp/later", modifiedMilliseconds: 0) == -20)
    #expect(calls.fileAge("/tmp/other", modifiedMilliseconds: 0) == 0)
  }

  @Test func theAgeOfAFileIsOfTheWallClock() {
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    let age = LinuxCalls().fileAge("/tmp/old", modifiedMilliseconds: now - 3_600_000)
    #expect((3_600_000...4_200_000).contains(age))
  }

  @Test func aRecordingIsGivenBackExactly() throws {
    let root = try Recording.write([
      "statvfs": "/media/My\\040Disk 6 5 4 3 2 ro\n", "adjtimex": "synchronized -0.000214637 0.001125\n",
      "sysconf": "250 16384\n",
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls = Host(root: root.path).calls
    let usage = FileSystemUsage(totalBytes: 6, freeBytes: 5, availableBytes: 4, totalInodes: 3, freeInodes: 2, readOnly: true)
    #expect(try calls.fileSystemUsage("/media/My Disk") == usage)
    let state = try calls.clockState()
    #expect(state.synchronized)
    #expect((state.offsetSeconds + 0.000_214_637).magnitude < 1e-12)
    #expect((state.estimatedErrorSeconds - 0.001_125).magnitude < 1e-12)
    #expect(calls.clockTicksPerSecond == 250)
    #expect(calls.pageBytes == 16384)
  }

  @Test func aDamagedRecordingIsMalformed() throws {
    let root = try Recording.write(["statvfs": "/ 6 many 4 3 2 ro\n", "adjtimex": "synchronized\n", "sysconf": ""])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls = Host(root: root.path).calls
    #expect(throws: SensorError.malformed(path: "/", what: "a recorded statvfs line needs five numbers")) {
      try calls.fileSystemUsage("/")
    }
    #expect(throws: SensorError.self) { try calls.clockState() }
    #expect(calls.clockTicksPerSecond == 100)
    #expect(calls.pageBytes == 4096)
  }

  @Test func withoutARecordingEverythingIsAbsent() {
    let calls = Host(root: "/no/such/root").calls
    #expect(throws: SensorError.absent("/statvfs")) { try calls.fileSystemUsage("/") }
    #expect(throws: SensorError.absent("/adjtimex")) { try calls.clockState() }
  }
}

@Suite struct FirmwareCommandTests {
  /// The message that vcgencmd.c of raspberrypi/utils builds, word by word, with its text of 4096 bytes.
  @Test func aRequestIsLaidOutAsVcgencmdDoes() throws {
    let words = try #require(FirmwareMessage.request("measure_temp"))
    #expect(words.count == 1031)
    #expect(Array(words[0..<6]) == [4124, 0, 0x0003_0080, 4096, 0, 0])
    let text = words.withUnsafeBytes { Array($0[24..<37]) }
    #expect(text == Array("measure_temp".utf8) + [0])
    #expect(words[1030] == 0)
  }

  @Test func anAnswerIsTheTextUpToItsEndUnlessRefused() throws {
    var words = try #require(FirmwareMessage.request("throttled=0x50005"))
    words[4] = 0x8000_0012
    #expect(FirmwareMessage.answer(words) == "throttled=0x50005")
    words[5] = 1
    #expect(FirmwareMessage.answer(words) == nil)
    let refused = try #require(FirmwareMessage.request("error=1 error_msg=\"Command not registered\""))
    #expect(FirmwareMessage.answer(refused) == nil)
    let endless = [UInt32](repeating: 0x4141_4141, count: 5) + [0] + [UInt32](repeating: 0x4141_4141, count: 1025)
    #expect(FirmwareMessage.answer(endless)?.utf8.count == 4096)
  }

  @Test func aRecordIsReadLikeATerminals() throws {
    let root = try HostCallsTests.Recording.write([
      "vcio": "$ a\none\n two\n$ a b\nthree\n$ empty\n$ refused\nerror=1 error_msg=\"Command not registered\"\n"
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    let calls = Host(root: root.path).calls
    #expect(try calls.firmwareCommand("a") == "one\n two\n")
    #expect(try calls.firmwareCommand("a b") == "three\n")
    #expect(try calls.firmwareCommand("empty") == "")
    for command in ["b", "refused"] {
      #expect(throws: SensorError.absent("firmware command \(command)")) { try calls.firmwareCommand(command) }
    }
  }

  @Test func missingRightsAreSaidWithTheRemedy() throws {
    let root = try HostCallsTests.Recording.write(["vcio": "!\n"])
    defer { try? FileManager.default.removeItem(at: root) }
    let remedy = "permission denied: the agent's user must be in the group video"
    #expect(throws: SensorError.device("/dev/vcio_gencmd", what: remedy)) {
      try Host(root: root.path).calls.firmwareCommand("get_throttled")
    }
  }
}

@Suite struct OctalEscapesTests {
  /// fs/seq_file.c writes a byte as a backslash and three octal digits.
  @Test(arguments: [
    ("/", "/"), (#"/media/My\040Disk"#, "/media/My Disk"), (#"a\011b\012c"#, "a\tb\nc"), (#"\134040"#, #"\040"#),
    (#"\043x"#, "#x"),
    (#"end\04"#, #"end\04"#), (#"\999"#, #"\999"#), (#"\400"#, #"\400"#), (#"\"#, #"\"#), ("", ""), (#"\303\251"#, "é"),
  ])
  func areUndone(escaped: String, plain: String) {
    #expect(unescapedOctal(escaped) == plain)
  }
}
