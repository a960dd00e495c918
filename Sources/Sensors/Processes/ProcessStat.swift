import Platform
import Telemetry

/// What `/proc/<pid>/stat` says of a process (proc_pid_stat(5), Documentation/filesystems/proc.rst):
///
/// ```
/// 4012 (Web Content (2)) S 3120 3120 … 4194560 … 5120 731 … 34 0 918273 2914050048 61234 …
/// 1    2                 3 4             9         14   15    20   22     23         24
/// ```
struct ProcessStat: Equatable {
  /// A thread of the kernel: PF_KTHREAD of include/linux/sched.h.
  private static let kernelThreadFlag: UInt64 = 0x0020_0000

  /// The command's name, 15 bytes or fewer; may hold anything. For threads of the kernel what stands before the number of a
  /// processor or worker: `kworker` for `kworker/3:1-events`.
  var name = ""
  /// Nil for one that is dead already.
  var state: ProcessState?
  /// The process that waits for its end.
  var parent: Int32 = 0
  /// Whether it is a thread of the kernel.
  var isKernelThread = false
  /// Processor time of all threads, user and kernel, clock ticks; without that of children.
  var ticks: UInt64 = 0
  /// Threads.
  var threads: UInt64 = 0
  /// When it was started, clock ticks since boot: tells it from later processes of the same number.
  var startTicks: UInt64 = 0
  /// Address space, bytes.
  var virtualBytes: UInt64 = 0
  /// Resident memory, pages.
  var residentPages: UInt64 = 0

  /// - Throws: `malformed` with `path` when there is no name in parentheses, no state or fewer than 24 fields.
  static func parse(_ text: inout ByteScanner, path: @autoclosure () -> String) throws(SensorError) -> ProcessStat {
    var stat = ProcessStat()
    var behind = text
    guard behind.skip(pastLast: UInt8(ascii: ")")) else { throw .malformed(path: path(), what: "no name in parentheses") }
    _ = text.skip { $0 == UInt8(ascii: "(") }
    // The name may hold parentheses: it ends before the last of them.
    var left = text.remaining - behind.remaining - 2
    _ = text.skip(byte: UInt8(ascii: "("))
    stat.name = text.text { _ in
      left -= 1
      return left < 0
    }
    stat.state = try ProcessState.parse(&text, path: path())
    _ = text.skip { $0 == 0x20 || $0 == 0x0A }
    for field in 4...24 {
      guard let value = text.signed() else { throw .malformed(path: path(), what: "fewer than 24 fields") }
      let number = UInt64(clamping: value)
      switch field {
      case 4: stat.parent = Int32(clamping: value)
      case 9: stat.isKernelThread = number & kernelThreadFlag != 0
      case 14, 15: stat.ticks &+= number
      case 20: stat.threads = number
      case 22: stat.startTicks = number
      case 23: stat.virtualBytes = number
      case 24: stat.residentPages = number
      default: break
      }
    }
    if stat.isKernelThread { stat.name = commonName(stat.name) }
    return stat
  }

  private static func commonName(_ name: String) -> String {
    guard let end = name.utf8.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }),
      end > name.startIndex
    else { return name }
    return String(name[..<end])
  }
}
