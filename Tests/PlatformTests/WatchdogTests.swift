import Foundation
import Platform
import Testing

/// The watchdog's edge on what knows the simplest form of the interface only: each byte feeds, a `V` before the end stops.
@Suite struct WatchdogTests {
  /// A tree of its own with the files given by their paths.
  private func withTree<Result>(_ files: [String: String], _ body: (Platform.Host) throws -> Result) throws -> Result {
    let root = NSTemporaryDirectory() + "/godwit-watchdog-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (path, text) in files {
      let file = root + path
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
    return try body(Platform.Host(root: root))
  }

  @Test func feedingsAreBytesAndTheEndIsMagic() throws {
    try withTree(["/dev/watchdog": "", "/sys/class/watchdog/watchdog0/nowayout": "0\n"]) { host in
      let device = try LinuxWatchdog(host: host, path: "/dev/watchdog")
      #expect(device.facts.cannotBeStopped == false && device.facts.identity.isEmpty && device.facts.bootStatus.isEmpty)
      #expect(device.setTimeout(seconds: 30) == nil, "a file tells no timeout")
      try device.feed()
      try device.feed()
      device.close()
      device.close()
      #expect(FileManager.default.contents(atPath: host.root + "/dev/watchdog") == Data([0, 0, UInt8(ascii: "V")]))
    }
  }

  /// Only a clean end is one: the kernel must see a crash as such.
  @Test func whatIsDroppedWithoutAnEndHasNone() throws {
    try withTree(["/dev/watchdog1": ""]) { host in
      var device: LinuxWatchdog? = try LinuxWatchdog(host: host, path: "/dev/watchdog1")
      try device?.feed()
      device = nil
      #expect(FileManager.default.contents(atPath: host.root + "/dev/watchdog1") == Data([0]))
    }
  }

  @Test func whyItCannotBeOpened() throws {
    try withTree(["/dev/other": ""]) { host in
      let failure = #expect(throws: WatchdogFailure.self) { _ = try LinuxWatchdog(host: host, path: "/dev/watchdog") }
      #expect(failure?.isAbsent == true && failure?.isBusy == false)
    }
  }

  @Test func itsRangeIsReadWithoutOpening() throws {
    try withTree([
      "/sys/class/watchdog/watchdog0/max_timeout": "15\n", "/sys/class/watchdog/watchdog0/min_timeout": "1\n",
      "/sys/class/watchdog/watchdog1/max_timeout": "0\n",
    ]) { host in
      let first = WatchdogRange(host: host, path: "/dev/watchdog")
      #expect(first.shortest == 1 && first.longest == 15)
      #expect(WatchdogRange(host: host, path: "/dev/watchdog0") == first)
      #expect(WatchdogRange(host: host, path: "/dev/watchdog1").longest == nil)
    }
  }
}
