import Glibc

/// What this process has used so far.
struct Meter {
  var userSeconds: Double
  var kernelSeconds: Double
  /// Bytes handed to the file system by write calls: `wchar` of /proc/self/io.
  var writtenBytes: Int

  static func now() -> Meter {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Meter(
      userSeconds: seconds(usage.ru_utime), kernelSeconds: seconds(usage.ru_stime),
      writtenBytes: number("wchar:", in: "/proc/self/io") ?? 0)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  /// Kilobytes of resident memory now, or at most so far.
  static func residentKilobytes(peak: Bool = false) -> Int { number(peak ? "VmHWM:" : "VmRSS:", in: "/proc/self/status") ?? 0 }

  static func milliseconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }

  private static func number(_ key: String, in path: String) -> Int? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if text.hasPrefix(key) { return text.split { !$0.isNumber }.first.flatMap { Int($0) } }
    }
    return nil
  }
}
