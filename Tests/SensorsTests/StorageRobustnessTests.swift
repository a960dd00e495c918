import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Answers of drives and programs, cut short and with bytes changed by a seeded generator: 10,000 of each kind. A parser may refuse them, but
/// comes back, and gives no value that its unit does not have.
@Suite struct StorageRobustnessTests {
  private static let seed: UInt64 = 20_261_123

  private static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: CaseTests.folder.appendingPathComponent(path)))
  }

  /// Runs `body` over changed texts: bytes replaced, cut, doubled.
  private func mutate(_ bytes: [UInt8], rounds: Int = 10_000, _ body: ([UInt8]) throws -> Void) rethrows {
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
      try body(changed)
    }
  }

  /// What a unit allows, for all values of a sample.
  private func check(_ readings: Readings, seed: UInt64 = StorageRobustnessTests.seed) {
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      var isGood = value.isFinite
      switch series.metric.unit {
      case .percent: isGood = isGood && value >= 0 && value <= 255
      case .celsius: isGood = isGood && value >= -273.15 && value < 66_000
      case .none where series.metric.help.hasPrefix("1 "): isGood = value == 0 || value == 1
      default: isGood = isGood && value >= 0
      }
      #expect(isGood, "\(series.key) \(value), seed \(seed)")
    }
  }

  private func check(_ report: SmartReport) {
    var readings = Readings()
    readings.begin(nanoseconds: 1)
    report.set("sda", since: SmartReport(), in: &readings)
    check(readings)
  }

  private func check(_ reports: [ArrayReport]) {
    var readings = Readings()
    readings.begin(nanoseconds: 1)
    for report in reports { report.set(in: &readings) }
    check(readings)
  }

  @Test(arguments: ["ata/input|sda", "ata/input|sdb", "ata-units/input|sdb", "scsi/input|sda", "ata/input|sdd"])
  func anyAnswerOfSmartctl(name: String) throws {
    let parts = name.split(separator: "|")
    let path = "smart/\(parts[0])/.host/programs/smartctl/--json=c -a -n standby \\057dev\\057\(parts[1])"
    mutate(try Self.bytes(path)) { changed in
      if let report = try? SmartctlAnswer.report(changed) { check(report) }
    }
  }

  @Test func anyHealthLog() throws {
    let digits = try Self.bytes("smart/nvme/input/.host/nvme/nvme0").filter { $0 > 0x20 }
    let log = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
    #expect(log.count == 512)
    mutate(log) { changed in
      if let report = NVMeHealth.report(changed) { check(report) } else { #expect(changed.count < 512) }
    }
  }

  @Test func anyAnswerOfZpool() throws {
    let pools = [ArrayReport(name: "tank", type: "zfs")]
    let status = try Self.bytes("raid/zfs/input.3/.host/programs/zpool/status -j --json-int")
    mutate(status) { changed in
      var reports = pools
      try? ZFSPools.readStatus(changed, into: &reports)
      check(reports)
    }
    mutate(Array("old\t99\tSUSPENDED\ntank\t43\tONLINE\n".utf8)) { changed in
      var reports = pools
      ByteScanner.scan(bytes: changed) { ZFSPools.readList(&$0, into: &reports) }
      check(reports)
    }
  }

  @Test func anyAnswerOfLVS() throws {
    let arguments = LVMVolumes.arguments.joined(separator: " ")
    mutate(try Self.bytes("raid/lvm/input/.host/programs/lvs/\(arguments)")) { changed in
      if let reports = try? LVMVolumes.reports(changed) { check(reports) }
    }
  }

  @Test func anyCountsOfBtrfs() {
    mutate(Array("write_errs 0\nread_errs 12\nflush_errs 0\ncorruption_errs 3\ngeneration_errs 0\n".utf8)) { changed in
      let errors = ByteScanner.scan(bytes: changed) { BtrfsVolumes.errors(&$0) }
      #expect(errors.count <= 5)
    }
  }

  @Test func anyTableOfMounts() throws {
    mutate(try Self.bytes("mounts/pi-with-disk/input.2/proc/self/mountinfo")) { changed in
      let mounts = try? ByteScanner.scan(bytes: changed) { (text) throws(SensorError) in try MountTable.parse(&text, path: "m") }
      for mount in mounts ?? [] { #expect(mount.path.hasPrefix("/")) }
    }
  }

  @Test func anyProgressOfMD() {
    mutate(Array("32736 / 130944\n".utf8)) { changed in
      if let percent = ByteScanner.scan(bytes: changed, { MDArrays.progress(&$0) }) { #expect((0...100).contains(percent)) }
    }
  }

  /// The numbers of md, each in a file of its own; fewer, for files take their time.
  @Test func anyFilesOfMD() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-md-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent("sys/block/md0/md")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let files = [
      "array_state": "active\n", "raid_disks": "4 (3)\n", "degraded": "1\n", "sync_action": "recover\n",
      "sync_completed": "32736 / 130944\n", "sync_speed": "16384\n", "mismatch_cnt": "128\n",
    ]
    for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
    let host = Host(root: root.path)
    var names = files.keys.sorted()[...]
    try mutate(Array("32736 / 130944 16384 active recover".utf8), rounds: 300) { changed in
      let name = names.removeFirst()
      names.append(name)
      try Data(changed).write(to: folder.appendingPathComponent(name))
      if name == "array_state" || name == "sync_action" {
        try Data((files[name] ?? "").utf8).write(to: folder.appendingPathComponent(name))
      }
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      check(MDArrays.all(on: host, into: &readings))
    }
  }
}
