import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The sensor on this machine, with processes that the tests start.
@Suite(.serialized) struct ProcessesLiveTests {
  private struct Answer: Decodable {
    var pids: [Int32]
    var cpuSeconds, resident, virtual, proportional, threads, descriptors, readBytes, writtenBytes, created: Double
  }

  private static func answer(_ id: Int32) throws -> Answer {
    let python = try #require(PSUtil.interpreter)
    let outcome = try Subprocess.run(
      python, [PSUtil.script("processes"), "\(id)"], timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
    try #require(outcome.end == .exited(0), "\(String(decoding: outcome.errors, as: UTF8.self))")
    return try JSONDecoder().decode(Answer.self, from: Data(outcome.output))
  }

  private static func now() -> Int64 { SystemClock.bootMilliseconds * 1_000_000 }

  private static func settings(_ choice: String, _ text: String) -> Settings {
    let group = Settings(WatchedGroupSettings.specs, ["name": .text("test"), choice: .text(text)])
    return Settings(ProcessesSensor.kind.settings, ["watch": .items([group])])
  }

  private static func value(_ metric: Metric, _ readings: Readings) -> Double? {
    let index = readings.series.firstIndex { $0.metric == metric && $0.label("group") ?? "test" == "test" }
    guard let index, !readings.values[index].isMissing else { return nil }
    return readings.values[index]
  }

  /// By a signal that cannot be blocked: a child has the signal mask of the thread that started it.
  private static func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Works for a while, then has memory, threads and files, says so and waits for the end of its input.
  private static let busy = """
    import sys, threading, time
    blob = bytearray(b"x" * 30_000_000)
    files = [open("/dev/null") for _ in range(20)]
    begun = time.process_time()
    while time.process_time() - begun < 0.3: pass
    for _ in range(3): threading.Thread(target=sys.stdin.read, daemon=True).start()
    print("ready", flush=True)
    while True: time.sleep(600)
    """

  @Test(.enabled(if: PSUtil.interpreter != nil, "PyPI cannot be reached"))
  func agreesWithAnIndependentReader() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(PSUtil.interpreter))
    process.arguments = ["-c", Self.busy]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer { Self.end(process) }
    var said = Data()
    while said.last != UInt8(ascii: "\n") {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "it ended before it was ready")
      said += more
    }

    let before = try Self.answer(process.processIdentifier)
    let files = ProcessFiles(host: Host())
    var table = ProcessTable(ticksPerSecond: Double(LinuxCalls().clockTicksPerSecond))
    try table.scan(files, at: Self.now()) { Issue.record("\($0)") }
    table.readIO(files) { _ in true }
    var readings = Readings()
    readings.begin(nanoseconds: Self.now())
    // Its command line has the whole program; the file of the program is python's, which others may run.
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString).pid").path
    try Data("\(process.processIdentifier)\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    var sensor = try ProcessesSensor(
      context: SensorContext(host: Host()), settings: Self.settings("pid_file", path), readings: &readings)
    try sensor.sample(into: &readings)
    let after = try Self.answer(process.processIdentifier)

    // Processes come and go; those that were there before and after were there in between.
    let steady = Set(before.pids).intersection(after.pids)
    #expect(steady.count > 10)
    #expect(steady.subtracting(table.ids).isEmpty)
    let counted = zip(readings.series, readings.values).filter { $0.0.metric == ProcessesMetrics.count }.map(\.1).reduce(0, +)
    #expect(counted >= Double(steady.count))

    let known = try #require(table.processes[process.processIdentifier])
    let ticks = Double(LinuxCalls().clockTicksPerSecond)
    #expect(before.cpuSeconds >= 0.3)
    #expect((before.cpuSeconds - 0.001...after.cpuSeconds + 0.001).contains(Double(known.stat.ticks) / ticks))
    #expect((before.readBytes...after.readBytes).contains(Double(try #require(known.io).readBytes)))
    #expect((before.writtenBytes...after.writtenBytes).contains(Double(try #require(known.io).writtenBytes)))
    #expect(before.resident > 30_000_000)
    #expect(Self.value(ProcessesMetrics.running, readings) == 1)
    #expect(Self.value(ProcessesMetrics.members, readings) == 1)
    // psutil reads statm. The counters behind stat's number lag by a batch of pages on each processor, for three kinds of pages
    // (proc_pid_stat(5): "this value is inaccurate"; percpu_counter_batch of lib/percpu_counter.c).
    let processors = ProcessInfo.processInfo.processorCount
    let lag = Double(3 * processors * max(32, 2 * processors) * LinuxCalls().pageBytes)
    let resident = try #require(Self.value(ProcessesMetrics.resident, readings))
    #expect(abs(resident - before.resident) <= lag)
    #expect(Self.value(ProcessesMetrics.virtual, readings) == before.virtual)
    #expect(Self.value(ProcessesMetrics.groupThreads, readings) == before.threads)
    #expect(before.threads == 4)
    #expect(Self.value(ProcessesMetrics.descriptors, readings) == before.descriptors)
    // What it shares with other pythons changes when these end.
    let proportional = try #require(Self.value(ProcessesMetrics.proportional, readings))
    #expect(abs(proportional - before.proportional) < 8_000_000)
    let started = try #require(Self.value(ProcessesMetrics.startTime, readings))
    #expect(abs(started - before.created) <= 2)
  }

  @Test func processesThatLiveShorterThanAnIntervalAreCounted() throws {
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    var sensor = try ProcessesSensor(
      context: SensorContext(host: Host()), settings: Settings(ProcessesSensor.kind.settings), readings: &readings)
    try sensor.sample(into: &readings)
    #expect(Self.value(ProcessesMetrics.forks, readings) == nil)
    let script = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done"
    let outcome = try Subprocess.run("/bin/sh", ["-c", script], timeoutMilliseconds: 120_000, outputBytes: 100)
    try #require(outcome.end == .exited(0))
    readings.begin(nanoseconds: 10_000_000_000)
    try sensor.sample(into: &readings)
    let forks = try #require(Self.value(ProcessesMetrics.forks, readings))
    #expect(forks >= 30)
  }

  @Test func aWatchedProgramIsSeenEndingAndStartingAgain() throws {
    let mark = "600.\(UInt32.random(in: 1_000_000...9_999_999))"
    func start() throws -> Process {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sleep")
      process.arguments = [mark]
      try process.run()
      return process
    }
    var readings = Readings()
    readings.begin(nanoseconds: Self.now())
    var sensor = try ProcessesSensor(
      context: SensorContext(host: Host()), settings: Self.settings("command", "*sleep \(mark)"), readings: &readings)
    func sample() throws -> [Double?] {
      readings.begin(nanoseconds: Self.now())
      try sensor.sample(into: &readings)
      return [Self.value(ProcessesMetrics.running, readings), Self.value(ProcessesMetrics.restarts, readings)]
    }
    #expect(try sample() == [0, 0])
    var process = try start()
    // Between its fork and its execve it has the command of this program.
    for _ in 0..<500 where try sample() != [1, 0] { usleep(10_000) }
    #expect(try sample() == [1, 0])
    Self.end(process)
    #expect(try sample() == [0, 0])
    process = try start()
    for _ in 0..<500 where try sample() != [1, 1] { usleep(10_000) }
    #expect(try sample() == [1, 1])
    Self.end(process)
  }
}
