import Buffer
import Foundation
import Platform
import Profile
import Sensors
import Synchronization
import Telemetry
import Testing

@testable import Agent

/// What hardware costs that is not there: all kinds on a device that has nothing.
@Suite struct AbsentSensorsTests {
  /// How often each kind was made.
  private final class Count: Sendable {
    private let made = Mutex<[String: Int]>([:])
    func add(_ kind: String) { made.withLock { $0[kind, default: 0] += 1 } }
    var now: [String: Int] { made.withLock { $0 } }
  }

  /// The agent's own figures are always there.
  private static let kinds = SensorCatalogue.kinds.filter { $0.name != "self" }

  private let clock = HandClock()
  private let count = Count()
  private let supervisor: Supervisor
  private let folder: TemporaryFolder

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let sensors = Self.kinds.map { "\($0.name): " }.joined(separator: ", ")
    let text = "sensors: {\(sensors)}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"
    let profile = try Profile.parse(
      files: [(name: "profile.yaml", text: Array(text.utf8))], catalogue: Self.kinds,
      environment: ProfileEnvironment(hostName: "bare"))
    let count = count
    supervisor = Supervisor(
      profile: profile,
      environment: Supervisor.Environment(
        clock: clock, context: SensorContext(host: Host(root: folder.path)), storage: RecordingStorage(),
        delivery: RecordingDelivery(), log: Log(profile.log, clock: clock, environment: [:]),
        maker: { name in
          guard let (kind, make) = AgentProcess.maker(name) else { return nil }
          return (
            kind,
            { (context, settings, readings) throws(SensorError) in
              count.add(name)
              return try make(context, settings, &readings)
            }
          )
        },
        device: DeviceEdges(watchdogs: RecordedWatchdogs(), guards: RecordedGuards(), power: RecordedPower())),
      opening: BufferWriter.Opening())
  }

  private func tick(milliseconds: Int64) {
    clock.pass(milliseconds: milliseconds)
    supervisor.tick(due: clock.bootNanoseconds(), skipped: 0)
  }

  /// Reads of this thread alone (proc_pid_io(5)).
  private func reads() throws -> Int {
    let text = try String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("syscr: ") })
    return try #require(Int(line.dropFirst(7)))
  }

  private func threads() -> [String] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    let names = tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
    // The kernel keeps 15 bytes of a name.
    let own = Set(Self.kinds.map { "sensor-\($0.name)".prefix(15) + "\n" })
    return names.filter { own.contains($0[...]) }
  }

  @Test func betweenTwoLooksNothingIsDoneForThem() throws {
    tick(milliseconds: 1_000)
    eventually("each is found absent") {
      tick(milliseconds: 1)
      return supervisor.lanes.allSatisfy { $0.figures.outcome == .absent }
    }
    #expect(count.now == Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0.name, 1) }))
    eventually("no thread is kept") { threads().isEmpty }

    let before = try reads()
    let baseline = try reads() - before
    let start = try reads()
    for _ in 0..<50 { tick(milliseconds: 1_000) }
    #expect(try reads() - start == baseline, "ticks read files")
    #expect(count.now.values.allSatisfy { $0 == 1 }, "\(count.now)")
    #expect(threads().isEmpty)

    for _ in 0..<20 { tick(milliseconds: 1_000) }
    #expect(count.now["cpu"] == 2)
    for slot in supervisor.lanes { slot.lane.stop() }
  }
}
