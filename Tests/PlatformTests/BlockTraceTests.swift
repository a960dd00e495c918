import Foundation
import Randomness
import Telemetry
import Testing

@testable import Platform

extension SplitMix64 {
  /// Cut short in one of two cases, and up to six bytes changed.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count * 2, using: &self)))
    for _ in 0..<Int.random(in: 0...6, using: &self) where !bytes.isEmpty {
      bytes[Int.random(in: bytes.indices, using: &self)] = UInt8.random(in: 0...255, using: &self)
    }
    return bytes
  }
}

/// Requests to block devices: the records of the kernel's rings, and one suite over the kernel and a recording.
@Suite(.serialized) struct BlockTraceTests {
  /// As Linux 6.1 and 6.18 write them: `rwbs` grew, and `ioprio` came before it.
  static func format(_ identifier: Int, rwbs: (offset: Int, size: Int)) -> String {
    """
    name: block_rq_issue
    ID: \(identifier)
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    \tfield:dev_t dev;\toffset:8;\tsize:4;\tsigned:0;
    \tfield:sector_t sector;\toffset:16;\tsize:8;\tsigned:0;
    \tfield:unsigned int nr_sector;\toffset:24;\tsize:4;\tsigned:0;
    \tfield:char rwbs[\(rwbs.size)];\toffset:\(rwbs.offset);\tsize:\(rwbs.size);\tsigned:0;
    \tfield:__data_loc char[] cmd;\toffset:60;\tsize:4;\tsigned:0;

    print fmt: "%d,%d %s %u (%s) %llu + %u [%s]", ((unsigned int) ((REC->dev) >> 20)), REC->rwbs
    """
  }

  static func parsed(_ text: String) -> TracepointFormat? { ByteScanner.scan(text) { TracepointFormat(&$0) } }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

  /// PERF_RECORD_SAMPLE as perf_event_open(2) lays it out, the raw fields as in `format`.
  static func sample(
    _ type: UInt16, at time: UInt64, device: UInt32, sector: UInt64, rwbs: String, letters: (offset: Int, size: Int)
  ) -> [UInt8] {
    var raw = [UInt8](repeating: 0xEE, count: 68)
    raw.replaceSubrange(0..<2, with: bytes(type))
    raw.replaceSubrange(8..<12, with: bytes(device))
    raw.replaceSubrange(16..<24, with: bytes(sector))
    let text = Array(rwbs.utf8) + [UInt8](repeating: 0, count: letters.size - rwbs.utf8.count)
    raw.replaceSubrange(letters.offset..<letters.offset + letters.size, with: text)
    let body = bytes(time) + bytes(UInt32(raw.count)) + raw
    return bytes(UInt32(9)) + bytes(UInt16(0)) + bytes(UInt16(8 + body.count)) + body
  }

  static func records(_ rwbs: (offset: Int, size: Int)) throws -> TracepointRecords {
    TracepointRecords(
      issue: try #require(parsed(format(2104, rwbs: rwbs))), completion: try #require(parsed(format(2107, rwbs: rwbs))))
  }

  @Test(arguments: [(offset: 32, size: 8), (offset: 34, size: 10)])
  func aRecordIsReadWhereItsFormatSays(rwbs: (offset: Int, size: Int)) throws {
    var records = try Self.records(rwbs)
    let issue = Self.sample(2104, at: 77, device: 8 << 20 | 17, sector: 1 << 33, rwbs: "FWFS", letters: rwbs)
    let whole = BlockRequest(nanoseconds: 77, device: 8 << 20 | 17, sector: 1 << 33, isWrite: true, isDone: false)
    #expect(records.take(issue[...]) == whole)
    let completion = Self.sample(2107, at: .max, device: 1, sector: 0, rwbs: "RA", letters: rwbs)
    let read = BlockRequest(nanoseconds: .max, device: 1, sector: 0, isWrite: false, isDone: true)
    #expect(records.take(completion[...]) == read)
    #expect(records.take(Self.sample(9, at: 1, device: 1, sector: 0, rwbs: "R", letters: rwbs)[...]) == nil, "another event's")
    for length in 0..<(28 + rwbs.offset + rwbs.size - 8) { #expect(records.take(issue[..<length]) == nil, "\(length) bytes") }
    #expect(records.takeLost() == 0)
    let lost = Self.bytes(UInt32(2)) + [0, 0, 24, 0] + Self.bytes(UInt64(5)) + Self.bytes(UInt64(12))
    for _ in 0..<2 { #expect(records.take(lost[...]) == nil) }
    #expect(records.takeLost() == 24)
    #expect(records.takeLost() == 0)
  }

  /// blk_fill_rwbs of kernel/trace/blktrace.c: flush before, operation, then FUA, read-ahead, sync, metadata.
  @Test(arguments: [
    ("R", false), ("RA", false), ("RSM", false), ("W", true), ("WFS", true), ("FWFS", true), ("FF", nil), ("FN", nil),
    ("D", nil), ("DE", nil), ("N", nil), ("F", nil), ("", nil),
  ])
  func lettersSayWhatARequestDoes(letters: String, writes: Bool?) {
    #expect(isWrite(rwbs: Array(letters.utf8)[...]) == writes)
  }

  @Test func anotherFormatIsNone() {
    for text in ["", "ID: 7\n", Self.format(7, rwbs: (32, 8)).replacingOccurrences(of: "rwbs", with: "flags")] {
      #expect(Self.parsed(text) == nil)
    }
  }

  @Test(arguments: [
    ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,5,7-8", [0, 1, 5, 7, 8]), ("", []), ("3-1", []), ("0-99999999999", []),
  ])
  func processorsAreListedInRanges(text: String, expected: [Int]) {
    #expect(numbers(ofList: text) == expected)
  }

  @Test func mutatedFormatsAndRecordsComeBack() throws {
    let seed: UInt64 = 20_261_123
    var generator = SplitMix64(seed: seed)
    let letters = (offset: 34, size: 10)
    let format = Array(Self.format(2104, rwbs: letters).utf8)
    let record = Self.sample(2104, at: 77, device: 8 << 20, sector: 99, rwbs: "WS", letters: letters)
    var requests = 0
    for _ in 0..<10_000 {
      let text = generator.mutated(format)
      let found = ByteScanner.scan(bytes: text) { TracepointFormat(&$0) } ?? Self.parsed(Self.format(2104, rwbs: letters))
      let issue = try #require(found)
      var records = TracepointRecords(issue: issue, completion: issue)
      if records.take(generator.mutated(record)[...]) != nil { requests += 1 }
    }
    #expect(requests > 0, "seed \(seed)")
  }

  // MARK: The kernel and a recording

  /// A read past the page cache is begun and done at the same place.
  @Test(arguments: [true, false])
  func aReadIsBegunAndDone(live: Bool) throws {
    let root = try HostCallsTests.Recording.write([
      "block-trace": "5000 issue 8 0 64 R\n90000 complete 8 0 64 R\n91000 issue 8 0 64 FF\nlost 3\n",
      "disk-probes": "read /file 85000\n",
    ])
    let file = "\(FileManager.default.currentDirectoryPath)/godwit-read-\(UUID().uuidString)"
    try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: file))
    defer {
      try? FileManager.default.removeItem(at: root)
      try? FileManager.default.removeItem(atPath: file)
    }
    let calls: any HostCalls = live ? LinuxCalls() : Host(root: root.path).calls
    // As root of a kernel with tracepoints, and on a file system with O_DIRECT.
    let problem = live ? Self.problem(calls, file) : nil
    if let problem {
      print("skipped: no tracepoints here: \(problem)")
      return
    }
    let trace = try calls.blockTrace()
    var requests: [BlockRequest] = []
    var (lost, isComplete) = try trace.take(into: &requests)
    for _ in 0..<200 where live && !Self.hasPair(requests) {
      _ = try calls.time(DiskProbe(path: file, isWrite: false))
      let next = try trace.take(into: &requests)
      (lost, isComplete) = (lost + next.lost, isComplete && next.isComplete)
    }
    #expect(Self.hasPair(requests))
    #expect(requests.allSatisfy { $0.device != 0 })
    #expect(isComplete == (lost == 0))
    if !live { #expect(lost == 3 && requests.count == 2) }
  }

  /// What the kernel does to the events of a processor that is switched off, done by hand: they record no more, and nothing says so.
  @Test func recordsThatStoppedAreBegunAnew() throws {
    let file = "\(FileManager.default.currentDirectoryPath)/godwit-read-\(UUID().uuidString)"
    try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    let calls = LinuxCalls()
    if let problem = Self.problem(calls, file) {
      print("skipped: no tracepoints here: \(problem)")
      return
    }
    let trace = try LinuxBlockTrace(Host(root: "/", calls: calls))
    var requests: [BlockRequest] = []
    #expect(try trace.take(into: &requests).isComplete)
    // PERF_EVENT_IOC_DISABLE of linux/perf_event.h.
    for descriptor in trace.descriptors { #expect(ioctl(descriptor, 0x2401, 0) == 0) }
    _ = try trace.take(into: &requests)
    requests = []
    for _ in 0..<20 { _ = try calls.time(DiskProbe(path: file, isWrite: false)) }
    // The first look sees how long they recorded, one of the next that it was no longer.
    var isComplete = true
    for _ in 0..<2 where isComplete { isComplete = try trace.take(into: &requests).isComplete }
    #expect(!isComplete && requests.isEmpty)
    for _ in 0..<200 where !Self.hasPair(requests) {
      _ = try calls.time(DiskProbe(path: file, isWrite: false))
      _ = try trace.take(into: &requests)
    }
    #expect(Self.hasPair(requests))
  }

  private static func problem(_ calls: any HostCalls, _ file: String) -> SensorError? {
    do throws(SensorError) {
      _ = try calls.blockTrace()
      _ = try calls.time(DiskProbe(path: file, isWrite: false))
      return nil
    } catch {
      return error
    }
  }

  private static func hasPair(_ requests: [BlockRequest]) -> Bool {
    requests.contains { issue in
      !issue.isDone && !issue.isWrite
        && requests.contains {
          $0.isDone && $0.device == issue.device && $0.sector == issue.sector && $0.nanoseconds > issue.nanoseconds
        }
    }
  }

  @Test func aRecordingThatBarsSaysWhatToDo() throws {
    let root = try HostCallsTests.Recording.write(["block-trace": "!\n"])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(throws: LinuxBlockTrace.barred) { try Host(root: root.path).calls.blockTrace() }
    #expect(throws: SensorError.absent("/block-trace")) { try Host(root: "/no/such/root").calls.blockTrace() }
  }
}

@Suite struct DiskProbeTests {
  private let folder: URL

  init() throws {
    folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).appendingPathComponent(
      "godwit-probe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// The calls under test: the kernel over `folder`, or a recording that answers for it.
  private func calls(live: Bool) throws -> (any HostCalls, URL?) {
    guard !live else { return (LinuxCalls(), nil) }
    let path = folder.path
    let root = try HostCallsTests.Recording.write([
      "disk-probes": "write \(path) 1700000\nread \(path)/data 120000\nread \(path)/short !61\nread \(path) !22\n"
    ])
    return (Host(root: root.path).calls, root)
  }

  @Test(arguments: [true, false])
  func aProbeIsTimedAndLeavesNothing(live: Bool) throws {
    let (calls, root) = try calls(live: live)
    defer {
      try? FileManager.default.removeItem(at: folder)
      if let root { try? FileManager.default.removeItem(at: root) }
    }
    let data = folder.appendingPathComponent("data").path
    try Data(repeating: 7, count: 65_536).write(to: URL(fileURLWithPath: data))
    try Data(repeating: 7, count: 4_095).write(to: folder.appendingPathComponent("short"))
    // Not every file system has O_DIRECT; where there is none, the probe says so.
    do throws(SensorError) {
      #expect(try calls.time(DiskProbe(path: data, isWrite: false)) > 0)
    } catch {
      #expect("\(error)".contains("O_DIRECT"))
    }
    #expect(try calls.time(DiskProbe(path: folder.path, isWrite: true)) > 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data", "short"])
    let short = DiskProbe(path: folder.path + "/short", isWrite: false)
    #expect(throws: SensorError.device(short.path, what: "it holds less than 4096 bytes")) { try calls.time(short) }
    let nowhere = DiskProbe(path: folder.path + "/none", isWrite: false)
    #expect(throws: SensorError.absent(nowhere.path)) { try calls.time(nowhere) }
    #expect(throws: SensorError.self) { try calls.time(DiskProbe(path: folder.path, isWrite: false)) }
  }

  @Test func whatIsAtItsPlaceIsRemovedAndNotFollowed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let precious = folder.appendingPathComponent("precious")
    try "mine".write(to: precious, atomically: true, encoding: .utf8)
    let place = folder.appendingPathComponent(DiskProbe.fileName)
    try FileManager.default.createSymbolicLink(at: place, withDestinationURL: precious)
    #expect(try LinuxCalls().time(DiskProbe(path: folder.path, isWrite: true)) > 0)
    #expect(try String(contentsOf: precious, encoding: .utf8) == "mine")
    #expect(!FileManager.default.fileExists(atPath: place.path))
  }
}
