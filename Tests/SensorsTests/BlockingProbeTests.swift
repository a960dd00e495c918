import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// Servers that do not answer, and what is left behind when they do not.
@Suite(.serialized) struct BlockingProbeTests {
  /// A host whose NFS server answers when it is let.
  final class Server: AbsentCalls {
    private struct State {
      var isStalled: Bool
      var asked = 0
    }

    private let state: Mutex<State>
    private let error: SensorError?

    init(isStalled: Bool = false, error: SensorError? = nil) {
      state = Mutex(State(isStalled: isStalled))
      self.error = error
    }

    var asked: Int { state.withLock { $0.asked } }
    func recover() { state.withLock { $0.isStalled = false } }

    func fileSystemUsage(_ path: String) throws(SensorError) -> FileSystemUsage {
      state.withLock { $0.asked += 1 }
      while state.withLock({ $0.isStalled }) { usleep(1000) }
      if let error { throw error }
      return FileSystemUsage(totalBytes: 1, freeBytes: 1, availableBytes: 1, totalInodes: 1, freeInodes: 1, readOnly: false)
    }
  }

  /// A tree with mounts of NFS at `/mnt/0` and so on, and the sensor on it.
  private final class Bench {
    let root: URL
    var readings = Readings()
    private var sensor: MountsSensor?
    private let context: SensorContext
    private let settings: Settings

    init(_ server: Server, mounts: Int = 1, milliseconds: Int = 100) throws {
      root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-mounts-\(UUID().uuidString)")
      let table = root.appendingPathComponent("proc/self/mountinfo")
      try FileManager.default.createDirectory(at: table.deletingLastPathComponent(), withIntermediateDirectories: true)
      let lines = (0..<mounts).map { "\(80 + $0) 29 0:\(45 + $0) / /mnt/\($0) rw - nfs4 10.0.0.5:/\($0) rw,hard\n" }
      try lines.joined().write(to: table, atomically: true, encoding: .utf8)
      context = SensorContext(host: Host(root: root.path, calls: server))
      settings = Settings(MountsSensor.kind.settings, ["answer_within": .milliseconds(milliseconds)])
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func sample() throws {
      readings.begin(nanoseconds: readings.nanoseconds + 10_000_000_000)
      if sensor == nil { sensor = try MountsSensor(context: context, settings: settings, readings: &readings) }
      try sensor?.sample(into: &readings)
    }

    func makeAnew() { sensor = nil }

    func values(_ name: String) -> [Double] {
      zip(readings.series, readings.values).filter { $0.0.metric.name == "mounts.\(name)" && !$0.1.isMissing }.map(\.1)
    }
  }

  private func wait(_ what: String, until isDone: () throws -> Bool) rethrows {
    for _ in 0..<5000 {
      if try isDone() { return }
      usleep(1000)
    }
    Issue.record("\(what): not within the bound")
  }

  @Test func aServerThatAnswersResponds() throws {
    let bench = try Bench(Server(), milliseconds: 4_000)
    try bench.sample()
    #expect(bench.values("responding") == [1])
    #expect(bench.values("response_milliseconds").count == 1)
  }

  @Test func aStalledServerIsAskedOnceAndHeardWhenItIsBack() throws {
    let server = Server(isStalled: true)
    let bench = try Bench(server)
    for _ in 0..<3 {
      try bench.sample()
      #expect(bench.values("responding") == [0])
      #expect(bench.values("response_milliseconds").isEmpty)
      #expect(server.asked == 1)
    }
    // A sensor that is made anew finds the question open.
    bench.makeAnew()
    try bench.sample()
    #expect(bench.values("responding") == [0])
    #expect(server.asked == 1)
    server.recover()
    try wait("the server is back") {
      try bench.sample()
      return bench.values("responding") == [1]
    }
  }

  @Test func manyStalledMountsTakeABoundedNumberOfThreads() throws {
    let server = Server(isStalled: true)
    let bench = try Bench(server, mounts: 40)
    try bench.sample()
    try bench.sample()
    #expect(server.asked == BlockingProbe.most)
    #expect(bench.values("responding") == Array(repeating: 0, count: BlockingProbe.most))
    #expect(bench.values("mounted") == [40])
    server.recover()
    wait("all threads end") { BlockingProbe.asking == 0 }
    try bench.sample()
    #expect(bench.values("responding").contains(1))
  }

  @Test(arguments: [(SensorError.io(path: "/mnt/0", errno: ESTALE), [0.0]), (.io(path: "/mnt/0", errno: EACCES), [1.0])])
  func anErrorOfTheServerIsNoAnswerARefusalIsOne(error: SensorError, expected: [Double]) throws {
    let bench = try Bench(Server(error: error), milliseconds: 4_000)
    try bench.sample()
    #expect(bench.values("responding") == expected)
  }
}
