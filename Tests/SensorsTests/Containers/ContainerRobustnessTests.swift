import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// What engines and the kernel say of containers, cut short and with bytes changed by a seeded generator, 10,000 times each: refused or taken
/// within bounds, never a crash, no value that its unit does not have.
@Suite struct ContainerRobustnessTests {
  private static let seed: UInt64 = 20_261_121
  private static let folder = CaseTests.folder.appendingPathComponent("containers")

  private static func page(_ path: String) throws -> [UInt8] {
    var body: [UInt8] = []
    let parts = path.split(separator: "|").map { String($0) }
    let root = folder.appendingPathComponent(parts[0]).path
    let status = try Host(root: root).calls.page(parts[2], of: parts[1], timeoutMilliseconds: 1_000) { piece in
      body += piece
      return true
    }
    try #require(status == 200)
    return body
  }

  private func mutate(_ bytes: [UInt8], rounds: Int = 10_000, _ body: ([UInt8]) -> Void) {
    var generator = SplitMix64(seed: Self.seed)
    for _ in 0..<rounds {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) where !changed.isEmpty {
        let place = Int.random(in: changed.indices, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: changed.removeSubrange(place...)
        case 1: changed.insert(contentsOf: changed[place..<min(place + 9, changed.count)], at: place)
        case 2: changed[place] = UInt8.random(in: 0x30...0x39, using: &generator)
        case 3: changed.remove(at: place)
        default: changed[place] = UInt8.random(in: 0...255, using: &generator)
        }
      }
      body(changed)
    }
  }

  private func check(_ readings: Readings) {
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      var isGood = value.isFinite
      switch series.metric.unit {
      case .none where series.metric.help.hasPrefix("1 "): isGood = value == 0 || value == 1
      case .none where series.metric.name == "containers.exit_code": break
      default: isGood = isGood && value >= 0
      }
      #expect(isGood, "\(series.key) \(value), seed \(Self.seed)")
      for label in series.labels {
        #expect(!label.value.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, "seed \(Self.seed)")
        #expect(label.value.utf8.count <= Limits.labelValueBytes)
      }
    }
  }

  private func tell(_ container: EngineContainer, into readings: inout Readings) {
    var watched = WatchedContainer(name: container.name, engine: "docker")
    watched.tell(container, into: &readings)
  }

  @Test(arguments: ["docker/input|/var/run/docker.sock", "podman-v1/input|/run/podman/podman.sock"])
  func anyList(place: String) throws {
    var taken = 0
    let list = try Self.page(place + "|/containers/json?all=true")
    mutate(list) { changed in
      var elements = JSONElements()
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      var rest = changed[...]
      while !rest.isEmpty {
        let isMore = elements.take(Array(rest.prefix(100))) { element in
          if let container = EngineContainer(element) {
            taken += 1
            tell(container, into: &readings)
          }
          return true
        }
        guard isMore else { break }
        rest = rest.dropFirst(100)
      }
      check(readings)
    }
    // Else the mutations would show nothing but that JSON is refused.
    #expect(taken > 5_000)
  }

  @Test func anyDetails() throws {
    var taken = 0
    var elements = JSONElements()
    var listed: [EngineContainer] = []
    let list = try Self.page("docker/input|/var/run/docker.sock|/containers/json?all=true")
    _ = elements.take(list) { element in
      if let container = EngineContainer(element) { listed.append(container) }
      return true
    }
    #expect(listed.map(\.name) == ["spare", "job", "queue", "web"])
    for container in listed {
      let details = try Self.page("docker/input|/var/run/docker.sock|/containers/\(container.id)/json")
      mutate(details, rounds: 2_500) { changed in
        var container = container
        guard let value = EngineContainer.json(changed), container.take(value, at: 1) else { return }
        taken += 1
        var readings = Readings()
        readings.begin(nanoseconds: 1)
        tell(container, into: &readings)
        check(readings)
      }
    }
    #expect(taken > 500)
  }

  @Test(arguments: [
    "usage_usec 9000000\nnr_periods 3000\nnr_throttled 120\nthrottled_usec 6500000\n",
    "nr_periods 900\nnr_throttled 9\nthrottled_time 450000000\n",
  ]) func anyProcessorTime(text: String) {
    mutate(Array(text.utf8)) { changed in
      let counts = ByteScanner.scan(bytes: changed) { CPUCounts(&$0) }
      for value in [counts.microseconds, counts.periods, counts.throttledPeriods, counts.throttledSeconds] {
        if let value { #expect(value >= 0 && value.isFinite) }
      }
    }
  }

  @Test func anyCountsOfIO() {
    mutate(Array("8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=50331648 dios=3021\n8:16 rbytes=1\n".utf8)) {
      changed in
      let counts = ByteScanner.scan(bytes: changed) { IOCounts(unified: &$0) }
      #expect((counts.readBytes ?? 0) >= 0 && (counts.writes ?? 0).isFinite)
    }
    mutate(Array("8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n".utf8)) { changed in
      let counts = ByteScanner.scan(bytes: changed) { IOCounts.older(&$0) }
      #expect((counts?.read ?? 0) >= 0 && (counts?.written ?? 0) >= 0)
    }
  }

  @Test func anyTraffic() {
    let text = "Inter-|\n face |bytes\n    lo: 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6\n  eth0: 11 2 3 4 5 6 7 8 19 0 1 2 3 4 5 6\n"
    #expect(ByteScanner.scan(text) { ContainerUsage.network(&$0) }?.sent == 19)
    mutate(Array(text.utf8)) { changed in
      let sums = ByteScanner.scan(bytes: changed) { ContainerUsage.network(&$0) }
      #expect((sums?.received ?? 0) >= 0 && (sums?.sent ?? 0) >= 0)
    }
  }

  @Test func anyNameOfAControlGroup() {
    let id = String(repeating: "0123456789abcdef", count: 4)
    for name in ["docker-\(id).scope", "libpod-\(id).scope", "systemd-nspawn@my\\x2dbox.service", "lxc.payload.dns", id] {
      mutate(Array(name.utf8), rounds: 2_500) { changed in
        guard let found = CgroupContainer(String(decoding: changed, as: UTF8.self), in: "/system.slice") else { return }
        #expect(!found.id.isEmpty && found.id.utf8.count <= 3 * ContainerLimits.nameBytes)
        #expect(!found.id.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
      }
    }
  }
}
