import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The sensor `files` on this machine's file system.
@Suite struct FilesLiveTests {
  /// A folder, and the sensor over the machine itself.
  private final class Bench {
    let folder: URL
    let events = SensorEvents()
    var readings = Readings()
    private var sensor: FilesSensor?
    private let settings: Settings

    init(_ watches: (URL) -> [[String: SettingValue]]) throws {
      // Of one name only: inotify and the tools see the path as it is written.
      folder = URL(fileURLWithPath: "/tmp/godwit-files-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let items = watches(folder).map { Settings(WatchedPath.specs, $0) }
      settings = Settings(FilesSensor.kind.settings, ["watches": .items(items)])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func sample() throws {
      readings.begin(nanoseconds: readings.nanoseconds + 2_000_000_000)
      let context = SensorContext(host: Host(), events: events)
      if sensor == nil { sensor = try FilesSensor(context: context, settings: settings, readings: &readings) }
      try sensor?.sample(into: &readings)
    }

    func value(_ name: String, _ watch: String, event: String? = nil) -> Double? {
      zip(readings.series, readings.values).first {
        $0.0.metric.name == "files.\(name)" && $0.0.label("watch") == watch && $0.0.label("event") == event && !$0.1.isMissing
      }?.1
    }

    func total(_ name: String) -> Double? {
      zip(readings.series, readings.values).first { $0.0.metric.name == "files.\(name)" }?.1
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func write(_ name: String, _ text: String = "x") throws {
      try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }
  }

  /// inotifywait of inotify-tools watches the same folder while files are made, written, renamed and removed there.
  @Test func countsWhatInotifywaitCounts() throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/inotifywait") else {
      print("skipped: there is no inotifywait (apt-get install inotify-tools)")
      return
    }
    let kinds = WatchedPath.kinds
    let bench = try Bench { [["path": .text($0.path), "name": .text("w"), "events": .list(kinds)]] }
    let output = bench.folder.path + ".inotifywait"
    try Data().write(to: URL(fileURLWithPath: output))
    defer { try? FileManager.default.removeItem(atPath: output) }
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/usr/bin/inotifywait")
    other.arguments = ["-m", "-q", "--format", "%e %f", "-o", output, bench.folder.path]
    other.standardOutput = FileHandle.nullDevice
    other.standardError = FileHandle.nullDevice
    try other.run()
    // Not SIGTERM: a child inherits the signals that the threads of tests block.
    defer { kill(other.processIdentifier, SIGKILL) }
    func lines() -> [String] {
      let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").map(String.init)
    }
    func wait(_ what: String, until isDone: () throws -> Bool) rethrows {
      for _ in 0..<5000 {
        if try isDone() { return }
        usleep(2000)
      }
      Issue.record("\(what): not within the bound")
    }
    try bench.sample()
    // It watches once it tells of a file.
    var probes = 0
    try wait("inotifywait watches") {
      probes += 1
      try bench.write("probe-\(probes)")
      return lines().contains { $0.contains("probe-") }
    }
    try bench.write("last-probe")
    wait("all probes are told") { lines().contains { $0 == "CLOSE_WRITE,CLOSE last-probe" } }
    try bench.sample()
    let before = lines().count
    let start = kinds.map { bench.value("events", "w", event: $0) ?? -1 }

    for index in 0..<20 {
      try bench.write("file \(index)", "text")
      chmod(bench.path("file \(index)"), 0o600)
      if index.isMultiple(of: 2) { rename(bench.path("file \(index)"), bench.path("renamed-\(index)")) }
      if index.isMultiple(of: 3) { unlink(bench.path("file \(index)")) }
    }
    try FileManager.default.createDirectory(atPath: bench.path("folder"), withIntermediateDirectories: false)
    try bench.write("end")
    wait("the end is told") { lines().contains("CLOSE_WRITE,CLOSE end") }
    try bench.sample()
    let theirs = lines().dropFirst(before)
    func count(_ words: String...) -> Double {
      let lines = theirs.map { $0.split(separator: " ")[0].split(separator: ",").map(String.init) }
      return Double(lines.count { line in words.contains { line.contains($0) } })
    }
    let expected = [
      count("CREATE"), count("MODIFY"), count("DELETE"), count("MOVED_FROM", "MOVED_TO"), count("ATTRIB"), count("CLOSE_WRITE"),
    ]
    let ours = kinds.indices.map { (bench.value("events", "w", event: kinds[$0]) ?? -1) - start[$0] }
    #expect(ours == expected)
    #expect(expected.allSatisfy { $0 > 0 })
  }

  @Test func aPathThatGoesAndComesBackIsWatchedAgain() throws {
    let bench = try Bench { [["path": .text($0.path + "/dir"), "name": .text("d")]] }
    try bench.sample()
    #expect(bench.value("watched", "d") == 0)
    for round in 1...3 {
      try FileManager.default.createDirectory(atPath: bench.path("dir"), withIntermediateDirectories: false)
      try bench.sample()
      #expect(bench.value("watched", "d") == 1)
      try bench.write("dir/file")
      try bench.sample()
      #expect(bench.value("events", "d", event: "close_write") == Double(round))
      // Renamed away, or removed.
      if round == 1 {
        rename(bench.path("dir"), bench.path("elsewhere"))
      } else {
        try FileManager.default.removeItem(atPath: bench.path("dir"))
      }
      try bench.sample()
      try bench.sample()
      #expect(bench.value("watched", "d") == 0)
    }
    // What happens to the one that was renamed does not count any more.
    try bench.write("elsewhere/file")
    try bench.sample()
    #expect(bench.value("events", "d", event: "close_write") == 3)
  }

  @Test func aFileThatIsReplacedByRenamingIsFollowed() throws {
    let bench = try Bench {
      [["path": .text($0.path + "/config"), "name": .text("c")], ["path": .text($0.path), "name": .text("all")]]
    }
    try bench.write("config")
    try bench.sample()
    for _ in 0..<3 {
      try bench.write("config.new")
      rename(bench.path("config.new"), bench.path("config"))
    }
    try bench.sample()
    #expect(bench.value("events", "c", event: "move") == 3)
    #expect(bench.value("events", "c", event: "close_write") == 0)
    // Two watches share a directory.
    #expect(bench.value("events", "all", event: "move") == 6)
    unlink(bench.path("config"))
    try bench.sample()
    #expect(bench.value("events", "c", event: "delete") == 1)
    #expect(bench.value("watched", "c") == 0)
    #expect(bench.value("watched", "all") == 1)
  }

  @Test func directoriesBelowComeAndGo() throws {
    let bench = try Bench { [["path": .text($0.path), "name": .text("r"), "recursive": .bool(true), "match": .list(["*.txt"])]] }
    try FileManager.default.createDirectory(atPath: bench.path("a/b"), withIntermediateDirectories: true)
    try bench.sample()
    try bench.write("a/b/1.txt")
    try bench.write("a/b/1.bin")
    try FileManager.default.createDirectory(atPath: bench.path("a/new/deep"), withIntermediateDirectories: true)
    try bench.sample()
    #expect(bench.value("events", "r", event: "close_write") == 1)
    try bench.write("a/new/deep/2.txt")
    try bench.sample()
    #expect(bench.value("events", "r", event: "close_write") == 2)
    // A move within is a new directory, one out of it is none any more.
    rename(bench.path("a/new"), bench.path("moved"))
    rename(bench.path("a/b"), "/tmp/\(bench.folder.lastPathComponent).out")
    defer { try? FileManager.default.removeItem(atPath: "/tmp/\(bench.folder.lastPathComponent).out") }
    try bench.sample()
    try bench.write("moved/deep/3.txt")
    try "x".write(toFile: "/tmp/\(bench.folder.lastPathComponent).out/4.txt", atomically: false, encoding: .utf8)
    try bench.sample()
    #expect(bench.value("events", "r", event: "close_write") == 3)
  }

  /// Whoever may write there could else lead the sensor anywhere.
  @Test func aDirectoryThatBecameALinkIsNotFollowed() throws {
    let bench = try Bench { [["path": .text($0.path + "/in"), "name": .text("l"), "recursive": .bool(true)]] }
    for name in ["in", "out", "out/deep"] {
      try FileManager.default.createDirectory(atPath: bench.path(name), withIntermediateDirectories: false)
    }
    try bench.sample()
    try FileManager.default.createDirectory(atPath: bench.path("in/a"), withIntermediateDirectories: false)
    rmdir(bench.path("in/a"))
    symlink(bench.path("out"), bench.path("in/a"))
    try bench.sample()
    let created = bench.value("events", "l", event: "create")
    #expect(bench.total("directories") == 1)
    try bench.write("out/file")
    try bench.write("out/deep/file")
    try bench.sample()
    #expect(bench.value("events", "l", event: "create") == created)
  }

  /// A loop of links stands for all that cannot be watched.
  @Test func onePathThatFailsLeavesTheOthersAlone() throws {
    let bench = try Bench {
      [["path": .text($0.path + "/loop/x"), "name": .text("bad")], ["path": .text($0.path), "name": .text("good")]]
    }
    symlink("loop", bench.path("loop"))
    try bench.sample()
    #expect(bench.value("watched", "bad") == 0)
    #expect(bench.value("watched", "good") == 1)
    #expect(bench.readings.problem == .io(path: bench.path("loop"), errno: ELOOP))
    unlink(bench.path("loop"))
    try FileManager.default.createDirectory(atPath: bench.path("loop/x"), withIntermediateDirectories: true)
    try bench.sample()
    #expect(bench.value("watched", "bad") == 1)
    for _ in 0..<FilesLimits.samplesBetweenTries { try bench.sample() }
    #expect(bench.readings.problem == nil)
  }

  @Test func eventsAreToldWithinTheirRate() throws {
    let rate: [String: SettingValue] = ["event": .bool(true), "events": .list(["create"]), "events_per_minute": .integer(5)]
    let bench = try Bench { [rate.merging(["path": .text($0.path), "name": .text("t")]) { $1 }] }
    try bench.sample()
    for index in 0..<8 { try bench.write("a\u{1B}[2J\(index)") }
    try bench.sample()
    let told = bench.events.take()
    #expect(told.count == 5)
    #expect(told.first?.message == "\(bench.folder.path)/a?[2J0: created")
    #expect(told.first?.kind == "file")
    #expect(told.first?.details == [Label("watch", "t"), Label("path", "\(bench.folder.path)/a?[2J0"), Label("event", "create")])
    #expect(bench.value("events", "t", event: "create") == 8)
    #expect(bench.value("untold", "t") == 3)
    for _ in 0..<30 { try bench.sample() }
    try bench.write("later")
    try bench.sample()
    #expect(bench.events.take().count == 1, "another minute")
  }

  /// The kernel's queue is bounded; what it loses is said.
  @Test func aFullQueueIsCounted() throws {
    let bound = (try? Host().file("/proc/sys/fs/inotify/max_queued_events").integer()) ?? nil
    guard let bound, bound <= 65_536 else {
      print("skipped: the queue of inotify is too long here to be filled")
      return
    }
    let bench = try Bench { [["path": .text($0.path), "name": .text("f"), "events": .list(["create", "delete"])]] }
    try bench.sample()
    // Two different events in turns: equal ones in a row would be one.
    for _ in 0...bound {
      close(open(bench.path("a"), O_CREAT | O_WRONLY, 0o600))
      unlink(bench.path("a"))
    }
    var isTold = false
    for _ in 0..<100 where !isTold {
      try bench.sample()
      isTold = bench.total("overflows") == 1
    }
    #expect(isTold)
    #expect(bench.readings.problem.map { "\($0)".contains("fs.inotify.max_queued_events") } == true)
    try bench.write("b")
    try bench.sample()
    #expect(bench.readings.problem == nil)
  }
}
