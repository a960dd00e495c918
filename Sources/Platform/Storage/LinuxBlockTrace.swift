import CLinux
import Glibc
public import Telemetry

extension LinuxCalls {
  /// By perf_event_open(2) on the tracepoints block_rq_issue and block_rq_complete.
  ///
  /// Not by the histograms of tracefs (Documentation/trace/histogram.rst): those pair the two by device and sector, in a table that never
  /// forgets a sector and is full after some thousand requests. Nor by an instance of tracefs, which outlives an agent that is killed.
  public func blockTrace() throws(SensorError) -> any BlockTrace { try LinuxBlockTrace(Host(root: "/", calls: self)) }
}

/// A ring for each processor that is online; the kernel takes them away when their descriptors are closed, however the agent ends.
final class LinuxBlockTrace: BlockTrace {
  static let barred = SensorError.device(
    "tracepoints", what: "permission denied: the agent needs CAP_PERFMON and to see /sys/kernel/tracing (docs/sensors/io.md)")
  /// A recorded request is some 90 bytes; the rest is of no use.
  private static let recordBytes = 512
  private static let folders = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

  private var records: TracepointRecords
  private let online: HostFile
  private var processors = ""
  /// Two a processor: beginnings, whose ring it is, and ends.
  private(set) var descriptors: [Int32] = []
  private var rings: [UnsafeMutableRawPointer] = []
  /// How long each of `descriptors` was recorded for at the last look, nanoseconds.
  private var enabled: [UInt64] = []

  init(_ host: Host) throws(SensorError) {
    records = TracepointRecords(
      issue: try Self.format("block_rq_issue", host), completion: try Self.format("block_rq_complete", host))
    online = host.file("/sys/devices/system/cpu/online")
    try open()
  }

  deinit { close() }

  private static func format(_ name: String, _ host: Host) throws(SensorError) -> TracepointFormat {
    var failure: SensorError = .absent(folders[0])
    for folder in folders {
      let path = "\(folder)/events/block/\(name)/format"
      do throws(SensorError) {
        let format = try host.file(path).read { (text) throws(SensorError) in TracepointFormat(&text) }
        guard let format else { throw .malformed(path: path, what: "it has no id, dev, sector and rwbs") }
        return format
      } catch {
        switch error {
        case .absent: continue
        case .io(_, EACCES), .io(_, EPERM): failure = barred
        default: throw error
        }
      }
    }
    throw failure
  }

  private func open() throws(SensorError) {
    processors = try online.line()
    for cpu in numbers(ofList: processors).prefix(PlatformLimits.tracedProcessors) {
      let first = try checked(godwit_trace_open(records.issue.identifier, Int32(cpu), -1))
      var map: UnsafeMutableRawPointer?
      let result = godwit_trace_map(first, PlatformLimits.traceRingBytes, &map)
      guard result == 0, let map else {
        close()
        throw .io(path: "mmap of a tracepoint", errno: -result)
      }
      rings.append(map)
      _ = try checked(godwit_trace_open(records.completion.identifier, Int32(cpu), first))
    }
    enabled = descriptors.map { godwit_trace_enabled($0) }
  }

  /// Whether the kernel goes on recording on every processor. It takes the events off one that is switched off, as all but the first are
  /// while the machine sleeps, and does not put them back (perf_event_exit_cpu in kernel/events/core.c): their time stands still.
  private func isRecording() -> Bool {
    let now = descriptors.map { godwit_trace_enabled($0) }
    defer { enabled = now }
    return zip(now, enabled).allSatisfy { $0 > $1 }
  }

  private func checked(_ descriptor: Int32) throws(SensorError) -> Int32 {
    guard descriptor < 0 else {
      descriptors.append(descriptor)
      return descriptor
    }
    close()
    switch -descriptor {
    case EACCES, EPERM: throw Self.barred
    case ENOSYS: throw .absent("perf_event_open")
    default: throw .io(path: "perf_event_open", errno: -descriptor)
    }
  }

  private func close() {
    for ring in rings { godwit_trace_unmap(ring, PlatformLimits.traceRingBytes) }
    for descriptor in descriptors { _ = Glibc.close(descriptor) }
    (rings, descriptors, enabled, processors) = ([], [], [], "")
  }

  func take(into requests: inout [BlockRequest]) throws(SensorError) -> (lost: UInt64, isComplete: Bool) {
    var record = [UInt8](repeating: 0, count: Self.recordBytes)
    for ring in rings {
      // Not more than a ring holds: requests that come meanwhile must not keep us here.
      for _ in 0..<PlatformLimits.traceRingBytes / 32 {
        let count = godwit_trace_next(ring, PlatformLimits.traceRingBytes, &record, record.count)
        guard count > 0 else { break }
        if let request = records.take(record[..<count]) { requests.append(request) }
      }
    }
    let lost = records.takeLost()
    if try online.line() == processors, isRecording() { return (lost, lost == 0) }
    close()
    try open()
    return (lost, false)
  }
}

/// The numbers of a list as cpulist_parse of the kernel writes it: `0-3,5`.
func numbers(ofList text: String) -> [Int] {
  ByteScanner.scan(text) { text in
    var numbers: [Int] = []
    while let first = text.unsigned() {
      let last = text.skip(byte: UInt8(ascii: "-")) ? text.unsigned() ?? first : first
      guard first <= last, last < 65_536 else { break }
      numbers += Int(first)...Int(last)
      _ = text.skip(byte: UInt8(ascii: ","))
    }
    return numbers
  }
}
