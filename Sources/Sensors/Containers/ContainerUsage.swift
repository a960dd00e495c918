import Platform
import Telemetry

/// What the control group of a container and its network namespace count; missing where they do not tell.
///
/// The files are opened anew for each sample: ten descriptors and buffers for each of many containers would be too many.
struct ContainerUsage {
  /// By `ContainerValue.rawValue`. The rates hold their counts here.
  private(set) var values = [Double](repeating: .missing, count: ContainerValue.allCases.count)

  subscript(_ value: ContainerValue) -> Double? {
    get { values[value.rawValue].isMissing ? nil : values[value.rawValue] }
    set { values[value.rawValue] = newValue ?? .missing }
  }

  init() {}

  /// Reads the files of a control group.
  init(_ path: String, in tree: CgroupTree) {
    if tree.isUnified { readUnified(tree.host, tree.directory(path, "")) } else { readOlder(path, tree) }
    if let memory = self[.memory], let limit = self[.memoryLimit], limit > 0 { self[.memoryPercent] = memory / limit * 100 }
  }

  private static func read<Result>(
    _ host: Host, _ path: String, _ body: (inout ByteScanner) throws(SensorError) -> Result?
  ) -> Result? {
    let result = try? host.file(path, limit: ContainerLimits.fileBytes).read(body)
    return result ?? nil
  }

  private static func number(_ host: Host, _ path: String) -> Double? {
    read(host, path) { (text) throws(SensorError) in text.unsigned().map { Double($0) } }
  }

  private static func number(_ host: Host, _ path: String, _ key: StaticString) -> Double? {
    read(host, path) { (text) throws(SensorError) in WatchedCgroup.number(key, &text).map { Double($0) } }
  }

  private mutating func readUnified(_ host: Host, _ directory: String) {
    let counts = Self.read(host, directory + "/cpu.stat") { (text) throws(SensorError) in CPUCounts(&text) }
    self[.cpuSeconds] = counts?.microseconds.map { $0 / 1e6 }
    set(counts)
    setMemory(
      Self.number(host, directory + "/memory.current"), inactive: Self.number(host, directory + "/memory.stat", "inactive_file "))
    // `max` is no number: no limit.
    self[.memoryLimit] = Self.number(host, directory + "/memory.max")
    self[.oomKills] = Self.number(host, directory + "/memory.events", "oom_kill ")
    if let io = Self.read(host, directory + "/io.stat", { (text) throws(SensorError) in IOCounts(unified: &text) }) { set(io) }
    self[.processes] = Self.number(host, directory + "/pids.current")
    self[.processLimit] = Self.number(host, directory + "/pids.max")
    let inner = directory + "/container"
    if directory.hasSuffix(".scope"), host.isDirectory(inner) { tighten(host, inner) }
  }

  /// crun puts the limits not on systemd's scope but on a control group of its own in there (crun(1), `run.oci.systemd.subgroup`).
  private mutating func tighten(_ host: Host, _ directory: String) {
    set(Self.read(host, directory + "/cpu.stat") { (text) throws(SensorError) in CPUCounts(&text) })
    for (value, file) in [(ContainerValue.memoryLimit, "/memory.max"), (.processLimit, "/pids.max")] {
      guard let limit = Self.number(host, directory + file) else { continue }
      self[value] = min(self[value] ?? limit, limit)
    }
  }

  private mutating func readOlder(_ path: String, _ tree: CgroupTree) {
    let host = tree.host
    let memory = tree.directory(path, "memory")
    self[.cpuSeconds] = Self.number(host, tree.directory(path, "cpuacct") + "/cpuacct.usage").map { $0 / 1e9 }
    set(Self.read(host, tree.directory(path, "cpu") + "/cpu.stat") { (text) throws(SensorError) in CPUCounts(&text) })
    setMemory(
      Self.number(host, memory + "/memory.usage_in_bytes"),
      inactive: Self.number(host, memory + "/memory.stat", "total_inactive_file "))
    // No limit is the largest number of whole pages.
    self[.memoryLimit] = Self.number(host, memory + "/memory.limit_in_bytes").flatMap { $0 < 4e18 ? $0 : nil }
    self[.oomKills] = Self.number(host, memory + "/memory.oom_control", "oom_kill ")
    let blocks = tree.directory(path, "blkio") + "/blkio.throttle.io_"
    var io = IOCounts()
    for (name, isBytes) in [("service_bytes", true), ("serviced", false)] {
      // With the control groups below it, where the kernel has that (Linux 5.2).
      for ending in ["_recursive", ""] {
        let counts = Self.read(host, blocks + name + ending) { (text) throws(SensorError) in IOCounts.older(&text) }
        guard let counts else { continue }
        if isBytes { (io.readBytes, io.writtenBytes) = counts } else { (io.reads, io.writes) = counts }
        break
      }
    }
    set(io)
    self[.processes] = Self.number(host, tree.directory(path, "pids") + "/pids.current")
    self[.processLimit] = Self.number(host, tree.directory(path, "pids") + "/pids.max")
  }

  private mutating func set(_ counts: CPUCounts?) {
    // Without a limit there are no periods.
    guard let counts, let periods = counts.periods, periods > 0 else { return }
    self[.periods] = periods
    self[.throttledPeriods] = counts.throttledPeriods
    self[.throttledSeconds] = counts.throttledSeconds
  }

  private mutating func set(_ io: IOCounts) {
    (self[.readBytes], self[.writtenBytes], self[.reads], self[.writes]) = (io.readBytes, io.writtenBytes, io.reads, io.writes)
  }

  /// The command line of Docker subtracts what the kernel would give up first.
  private mutating func setMemory(_ usage: Double?, inactive: Double?) {
    guard let usage else { return }
    let inactive = inactive ?? 0
    self[.memory] = inactive < usage ? usage - inactive : usage
  }

  /// Reads `/proc/<pid>/net/dev`, which shows the namespace of that process, to anybody.
  mutating func readNetwork(_ host: Host, process: Int32) {
    let sums = Self.read(host, "/proc/\(process)/net/dev") { (text) throws(SensorError) in Self.network(&text) }
    (self[.received], self[.sent]) = (sums?.received, sums?.sent)
  }

  /// The bytes of all interfaces but loopback; nil when there is no other.
  static func network(_ text: inout ByteScanner) -> (received: Double, sent: Double)? {
    var sums: (received: Double, sent: Double)?
    text.skipLine()
    text.skipLine()
    while !text.isAtEnd {
      text.skipBlanks()
      let name = text.text(until: 0x3A)
      if text.skip(byte: 0x3A), name != "lo" {
        var columns = [Double]()
        while columns.count < 9, let number = text.unsigned() { columns.append(Double(number)) }
        if columns.count == 9 { sums = ((sums?.received ?? 0) + columns[0], (sums?.sent ?? 0) + columns[8]) }
      }
      text.skipLine()
    }
    return sums
  }
}

/// `cpu.stat` of both versions.
struct CPUCounts {
  private(set) var microseconds, periods, throttledPeriods, throttledSeconds: Double?

  init(_ text: inout ByteScanner) {
    while !text.isAtEnd {
      if text.skip("usage_usec ") {
        microseconds = text.unsigned().map { Double($0) }
      } else if text.skip("nr_periods ") {
        periods = text.unsigned().map { Double($0) }
      } else if text.skip("nr_throttled ") {
        throttledPeriods = text.unsigned().map { Double($0) }
      } else if text.skip("throttled_usec ") {
        throttledSeconds = text.unsigned().map { Double($0) / 1e6 }
      } else if text.skip("throttled_time ") {
        throttledSeconds = text.unsigned().map { Double($0) / 1e9 }
      }
      text.skipLine()
    }
  }
}

/// What a container moved, all block devices together.
struct IOCounts {
  var readBytes, writtenBytes, reads, writes: Double?

  init() {}

  /// `io.stat`: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`.
  init(unified text: inout ByteScanner) {
    (readBytes, writtenBytes, reads, writes) = (0, 0, 0, 0)
    while !text.isAtEnd {
      text.skipBlanks()
      if text.skip("rbytes=") {
        readBytes = Self.sum(readBytes, &text)
      } else if text.skip("wbytes=") {
        writtenBytes = Self.sum(writtenBytes, &text)
      } else if text.skip("rios=") {
        reads = Self.sum(reads, &text)
      } else if text.skip("wios=") {
        writes = Self.sum(writes, &text)
      } else if text.isAtLineEnd {
        text.skipLine()
      } else {
        _ = text.word()
      }
    }
  }

  private static func sum(_ sum: Double?, _ text: inout ByteScanner) -> Double? {
    text.unsigned().map { (sum ?? 0) + Double($0) } ?? sum
  }

  /// `blkio.throttle.io_service_bytes` and `…io_serviced`: `8:0 Read 1`, `8:0 Write 2`, others, and `Total 3` at the end.
  static func older(_ text: inout ByteScanner) -> (read: Double?, written: Double?)? {
    var read: Double? = 0
    var written: Double? = 0
    while !text.isAtEnd {
      _ = text.word()
      text.skipBlanks()
      if text.skip("Read ") { read = sum(read, &text) } else if text.skip("Write ") { written = sum(written, &text) }
      text.skipLine()
    }
    return (read, written)
  }
}
