import CLinux
import Glibc
public import Telemetry

/// What statvfs(3) says of a mounted file system.
public struct FileSystemUsage: Hashable, Sendable {
  /// Bytes in all.
  public var totalBytes: UInt64
  /// Bytes nobody uses.
  public var freeBytes: UInt64
  /// Bytes an ordinary user may still write (without root's reserve).
  public var availableBytes: UInt64
  /// Inodes in all; 0 where the file system has no such table.
  public var totalInodes: UInt64
  /// Inodes nobody uses.
  public var freeInodes: UInt64
  /// Whether it is mounted read-only.
  public var readOnly: Bool

  /// States a file system's usage.
  public init(
    totalBytes: UInt64, freeBytes: UInt64, availableBytes: UInt64, totalInodes: UInt64, freeInodes: UInt64, readOnly: Bool
  ) {
    self.totalBytes = totalBytes
    self.freeBytes = freeBytes
    self.availableBytes = availableBytes
    self.totalInodes = totalInodes
    self.freeInodes = freeInodes
    self.readOnly = readOnly
  }
}

/// What adjtimex(2) says of the wall clock.
public struct ClockState: Hashable, Sendable {
  /// Whether the kernel holds the clock for synchronised.
  public var synchronized: Bool
  /// The remaining offset that is being slewed away, seconds.
  public var offsetSeconds: Double
  /// The estimated error, seconds.
  public var estimatedErrorSeconds: Double

  /// States the clock's condition.
  public init(synchronized: Bool, offsetSeconds: Double, estimatedErrorSeconds: Double) {
    self.synchronized = synchronized
    self.offsetSeconds = offsetSeconds
    self.estimatedErrorSeconds = estimatedErrorSeconds
  }
}

/// The edge of the host that is not files. One conformance suite runs over both implementations.
public protocol HostCalls: Sendable {
  /// The usage of the file system mounted at `path` (a path of the host, without prefix). May block on a network file system.
  func fileSystemUsage(_ path: String) throws(SensorError) -> FileSystemUsage
  /// The clock's condition.
  func clockState() throws(SensorError) -> ClockState
  /// What the firmware of a Raspberry Pi answers to a command of vcgencmd, for example `measure_temp`. May block.
  ///
  /// - Throws: `absent` where there is no such firmware, or where it does not know the command; `device` when rights are missing.
  func firmwareCommand(_ command: String) throws(SensorError) -> String
  /// The SMART / Health Information log of an NVMe drive, 512 bytes, by the name of its controller: `nvme0`. May block.
  ///
  /// - Throws: `absent` where there is no such drive; `device` when rights are missing or the drive refuses.
  func nvmeHealthLog(_ controller: String) throws(SensorError) -> [UInt8]
  /// How long ago a file was last written, or what a name stands for happened, milliseconds, given the time in its inode or since 1970;
  /// negative when the clock was set back since.
  func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64
  /// Runs a program by its absolute path to its end, as `Subprocess.run` does: bounded in time and output, no shell. Blocks.
  func run(
    _ path: String, _ arguments: [String], timeoutMilliseconds: Int, outputBytes: Int
  ) throws(SubprocessFailure) -> Subprocess.Outcome
  /// A socket at a path that others send datagrams to, for those that `mode` lets write.
  func datagrams(at path: String, mode: UInt32) throws(SensorError) -> any Datagrams
  /// Asks the kernel by netlink and gives the body of each message of the answer to `body`. May block.
  ///
  /// - Throws: `absent` where the kernel knows no such thing, `io`, `malformed`, `timedOut`; or what `body` throws.
  func netlink(_ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void) throws(SensorError)
  /// D-Bus by the Unix socket at a path, which is not prefixed. Opens nothing yet.
  ///
  /// - Parameter isBus: whether a bus listens there, or one service itself.
  func dbus(at path: String, isBus: Bool) -> any DBus
  /// Gets a page by HTTP/1.1 from a service that listens at a Unix socket, and gives its body to `take` as it comes, until that wants no more.
  /// Nothing is given of a page whose status is not 200 to 299. May block.
  ///
  /// - Returns: the status.
  /// - Throws: `absent` where nobody listens, `io` when rights are missing, `malformed`, `timedOut`; or what `take` throws.
  func page(
    _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) -> Int
  /// How a hypervisor names itself to its guests, `KVMKVMKVM`; nil where none does, and on processors other than x86.
  var hypervisorSignature: String? { get }
  /// Asks a service of this machine and gives back its whole answer. May block.
  ///
  /// - Throws: `absent` where nobody listens, `timedOut`, `malformed` for an answer that is too large, `io`, `device`.
  func ask(_ request: ServiceRequest) throws(SensorError) -> [UInt8]
  /// The requests to block devices from now on. One at a time.
  ///
  /// - Throws: `absent` where the kernel has no tracepoints or they are not mounted; `device` when rights are missing; `io`.
  func blockTrace() throws(SensorError) -> any BlockTrace
  /// Reads or writes one block, and answers how long that took, nanoseconds. May block for ever.
  ///
  /// - Throws: `absent` where nothing is at the path; `device`, `io`.
  func time(_ probe: DiskProbe) throws(SensorError) -> Int64
  /// What happens to files, by paths of the host.
  ///
  /// - Throws: `device` when the user has too many such; `io`.
  func fileWatches() throws(SensorError) -> any FileWatches
  /// USER_HZ: how many units of /proc/stat make a second.
  var clockTicksPerSecond: Int { get }
  /// Bytes of a memory page.
  var pageBytes: Int { get }
  /// The GPIO controllers.
  var gpio: any GPIOChips { get }
}

/// The calls of the running kernel.
public struct LinuxCalls: HostCalls {
  /// The running kernel.
  public init() {}

  /// By statvfs(3).
  public func fileSystemUsage(_ path: String) throws(SensorError) -> FileSystemUsage {
    var answer = godwit_usage_answer()
    let result = godwit_usage(path, &answer)
    guard result == 0 else { throw result == -ENOENT ? .absent(path) : .io(path: path, errno: -result) }
    // A file system in user space may answer anything: a product past 64 bits must not stop the agent.
    func bytes(_ units: UInt64) -> UInt64 {
      let (product, tooLarge) = units.multipliedReportingOverflow(by: answer.unit_bytes)
      return tooLarge ? .max : product
    }
    return FileSystemUsage(
      totalBytes: bytes(answer.total), freeBytes: bytes(answer.free), availableBytes: bytes(answer.available),
      totalInodes: answer.inodes, freeInodes: answer.free_inodes, readOnly: answer.read_only != 0)
  }

  /// By adjtimex(2), which needs no privilege when nothing is set.
  public func clockState() throws(SensorError) -> ClockState {
    var offset: Int64 = 0
    var unsynchronized: Int32 = 0
    var error: Int64 = 0
    guard godwit_clock_state(&offset, &unsynchronized, &error) >= 0 else { throw .io(path: "adjtimex", errno: errno) }
    return ClockState(
      synchronized: unsynchronized == 0, offsetSeconds: Double(offset) / 1e9, estimatedErrorSeconds: Double(error) / 1e6)
  }

  /// By the wall clock.
  public func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64 {
    SystemClock.wallMilliseconds - modifiedMilliseconds
  }

  /// By sysconf(3).
  public var clockTicksPerSecond: Int { max(sysconf(Int32(_SC_CLK_TCK)), 1) }
  /// By sysconf(3).
  public var pageBytes: Int { max(sysconf(Int32(_SC_PAGESIZE)), 1) }
  /// By libgpiod.
  public var gpio: any GPIOChips { LinuxGPIO() }
}

/// Answers of a recorded device, from text files in its `.host/` directory:
///
/// ```
/// statvfs    one line a mount:  /boot/firmware total free available inodes free-inodes ro|rw  (escapes as in mountinfo)
/// adjtimex   synchronized|unsynchronized offset-seconds error-seconds
/// sysconf    clock-ticks-per-second page-bytes
/// vcio       commands to a Raspberry Pi's firmware and their answers, see `firmwareCommand`
/// gpio/      see `RecordedGPIO`
/// datagrams  what is sent to a socket, see `datagrams`
/// http/      pages of services behind Unix sockets, see `page`
/// programs/  what programs answer, see `run`
/// netlink/   answers to netlink requests, see `netlink`
/// dbus/      answers of services, see `dbus`
/// services/  what services answer, see `ask`
/// nvme/      health logs of NVMe drives, see `nvmeHealthLog`
/// cpuid      how the hypervisor names itself, see `hypervisorSignature`
/// block-trace   requests to block devices, see `blockTrace`
/// disk-probes   how long reads and writes take, see `time`
/// file-events   what happens to files, see `fileWatches`
/// file-ages  one line a file that is not new:  /tmp/a milliseconds  (escapes as in mountinfo)
/// ```
public struct RecordedCalls: HostCalls {
  let files: Host
  /// From `gpio/`.
  public let gpio: any GPIOChips

  /// The answers in `directory`.
  public init(directory: String) {
    gpio = RecordedGPIO(directory: directory + "/gpio")
    files = Host(root: directory, calls: LinuxCalls())
  }

  /// From `statvfs`; a mount that is not listed is absent.
  public func fileSystemUsage(_ path: String) throws(SensorError) -> FileSystemUsage {
    let answer = try files.file("/statvfs").read { (text) throws(SensorError) -> FileSystemUsage? in
      while !text.isAtEnd {
        if unescapedOctal(text.word()) == path {
          guard let total = text.unsigned(), let free = text.unsigned(), let available = text.unsigned(),
            let inodes = text.unsigned(), let freeInodes = text.unsigned()
          else { throw .malformed(path: path, what: "a recorded statvfs line needs five numbers") }
          return FileSystemUsage(
            totalBytes: total, freeBytes: free, availableBytes: available, totalInodes: inodes, freeInodes: freeInodes,
            readOnly: text.word() == "ro")
        }
        text.skipLine()
      }
      return nil
    }
    guard let answer else { throw .absent(path) }
    return answer
  }

  /// From `adjtimex`.
  public func clockState() throws(SensorError) -> ClockState {
    try files.file("/adjtimex").read { (text) throws(SensorError) in
      let word = text.word()
      guard word == "synchronized" || word == "unsynchronized", let offset = text.decimal(), let error = text.decimal() else {
        throw .malformed(path: "adjtimex", what: "it holds synchronized or unsynchronized, and two numbers of seconds")
      }
      return ClockState(synchronized: word == "synchronized", offsetSeconds: offset, estimatedErrorSeconds: error)
    }
  }

  /// From `file-ages`; a copied tree does not keep the times of its files. One that is not listed is new.
  public func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64 {
    let listed = try? files.file("/file-ages").read { (text) throws(SensorError) -> Int64? in
      while !text.isAtEnd {
        if unescapedOctal(text.word()) == path { return text.signed() }
        text.skipLine()
      }
      return nil
    }
    return (listed ?? nil) ?? 0
  }

  /// From `sysconf`, else 100.
  public var clockTicksPerSecond: Int { sysconf(0) ?? 100 }
  /// From `sysconf`, else 4096.
  public var pageBytes: Int { sysconf(1) ?? 4096 }

  func recorded(_ name: String) -> HostFile { files.file(name) }

  /// The tree that the answers belong to.
  var tree: String { String(files.root.dropLast("/.host".utf8.count)) }

  private func sysconf(_ index: Int) -> Int? {
    let numbers = try? files.file("/sysconf").read { (text) throws(SensorError) in [text.unsigned(), text.unsigned()] }
    return numbers?[index].map { Int(clamping: $0) }
  }
}
