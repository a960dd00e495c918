import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Files of the device trees, cut short and with bytes changed by a seeded generator: a parser may refuse them, but comes back.
@Suite struct ParserRobustnessTests {
  private typealias Parse = (inout ByteScanner) throws(SensorError) -> Void

  private static func parser(of path: String) -> Parse? {
    switch path {
    case "proc/self/mountinfo":
      return { (text) throws(SensorError) in
        let mounts = try MountTable.parse(&text, path: path)
        _ = MountTable.selected(mounts, filter: NameFilter(include: [], exclude: []), withNetwork: true)
      }
    case "proc/diskstats":
      return { (text) throws(SensorError) in while !text.isAtEnd { _ = BlockDevice.Counters(&text); text.skipLine() } }
    case "proc/net/snmp":
      return { (text) throws(SensorError) in
        var counters = ProtocolCounters()
        counters.parse(&text)
      }
    case "proc/net/sockstat": return { (text) throws(SensorError) in _ = SocketStatistics.parse(&text) }
    case "proc/net/tcp":
      return { (text) throws(SensorError) in
        var counts = [Int](repeating: 0, count: TCPStates.names.count)
        try TCPStates.count(&text, path: path, into: &counts)
      }
    case "proc/1/stat": return { (text) throws(SensorError) in _ = try ProcessState.parse(&text, path: path) }
    case "proc/self/stat": return { (text) throws(SensorError) in _ = try ProcessStat.parse(&text, path: path) }
    case "proc/self/smaps_rollup": return { (text) throws(SensorError) in _ = MemoryRollup.parse(&text) }
    case ".host/vcio":
      return { (text) throws(SensorError) in
        let answer = text.text { _ in false }
        _ = FirmwareAnswers.power(FirmwareAnswers.rails(answer).rails)
        _ = FirmwareAnswers.throttled(answer)
        _ = FirmwareAnswers.number(answer)
        _ = FirmwareAnswers.timestamp(answer)
        _ = FirmwareAnswers.buildSeconds(answer)
      }
    case "run/utmp": return { (text) throws(SensorError) in _ = try Logins.users(utmp: &text, path: path) }
    default: return nil
    }
  }

  @Test(arguments: [
    "proc/self/mountinfo", "proc/diskstats", "proc/net/snmp", "proc/net/sockstat", "proc/net/tcp", "proc/1/stat",
    "proc/self/stat",
    "proc/self/smaps_rollup", "run/utmp", ".host/vcio",
  ])
  func comesBackFromAnyBytes(path: String) throws {
    let parse = try #require(Self.parser(of: path))
    let tree = path == ".host/vcio" ? "pi5/" : "x86-server/"
    let bytes = [UInt8](try Data(contentsOf: CaseTests.fixtures.appendingPathComponent(tree + path)))
    func run(_ bytes: [UInt8]) { _ = try? ByteScanner.scan(bytes: bytes, parse) }
    for length in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 400)) { run(Array(bytes[0..<length])) }
    let seed: UInt64 = 20_261_121
    var generator = SplitMix64(seed: seed)
    for _ in 0..<400 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      run(changed)
    }
  }

  @Test func columnsAreFoundByNameInAnyOrder() {
    let text = """
      Udp: OutDatagrams RcvbufErrors NoPorts InDatagrams
      Udp: 4 3 2 1
      Tcp: RetransSegs MaxConn NewInLinux9 CurrEstab
      Tcp: 7 -1 99 5
      """
    var counters = ProtocolCounters()
    ByteScanner.scan(text) { counters.parse(&$0) }
    #expect(counters[.inDatagrams] == 1)
    #expect(counters[.noPort] == 2)
    #expect(counters[.receiveBufferErrors] == 3)
    #expect(counters[.outDatagrams] == 4)
    #expect(counters[.established] == 5)
    #expect(counters[.retransmitted] == 7)
    #expect(counters[.activeOpens] == nil)
  }

  @Test func theLetterBehindTheLastParenthesisIsTheState() throws {
    let state = try ByteScanner.scan("7 (a) Z (b\n) D 1 7") { (text) throws(SensorError) in
      try ProcessState.parse(&text, path: "stat")
    }
    #expect(state == .diskSleep)
  }

  /// Texts of device drivers, as their documents show them.
  @Test(arguments: [
    "gpu/pi5-v3d/input/sys/devices/platform/1002000000.v3d/gpu_stats", "npu/rk3588/input/sys/kernel/debug/rknpu/load",
    "gpu_processes/i915/input/proc/1207/fdinfo/3", "gpu_processes/xe-amd/input/proc/900/fdinfo/3",
    "gpu/amd-navi31/input/sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/ras/umc_err_count",
  ])
  func comesBackFromAnyTextOfADriver(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: CaseTests.folder.appendingPathComponent(path)))
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-driver-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    let host = Host(root: root.path)
    let label = Label("gpu", "gpu")
    func run(_ bytes: [UInt8]) throws {
      try Data(bytes).write(to: root.appendingPathComponent("text"))
      let file = host.file("/text")
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      let slot = readings.slot(GPUMetrics.usage, [label])
      var tables: [DeviceTable] = [
        .queues(QueueStatistics(file: file, usage: slot, label: label)),
        .coreLoad(CoreLoad(file: file, usage: slot, label: label)),
        .memoryErrors(MemoryErrorCounts(file: file, label: label, &readings)),
      ]
      for index in tables.indices { try? tables[index].sample(into: &readings) }
      let client = ByteScanner.scan(bytes: bytes) { DRMClient(&$0) }
      if let client {
        var usage = DRMUsage(client, at: 0)
        usage.advance(client, at: 1) { _, share in #expect((0...100).contains(share)) }
      }
      for value in readings.values where !value.isMissing { #expect(value.isFinite && value >= 0) }
    }
    for length in 0...bytes.count { try run(Array(bytes[0..<length])) }
    let seed: UInt64 = 20_261_122
    var generator = SplitMix64(seed: seed)
    for _ in 0..<400 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      try run(changed)
    }
  }
}
