import CLinux
import Glibc
public import Telemetry

/// The processes under `/proc` and their small files: one open, one read and one close each, relative to the directory, into one
/// buffer. No descriptor of a process is kept. Not for use by two threads at once.
public final class ProcessFiles {
  private let host: Host
  private var directory: Int32 = -1
  private var name: [CChar] = []
  private var buffer: UnsafeMutableRawBufferPointer

  /// Of the host's `/proc`. Nothing is opened yet.
  public init(host: Host) {
    self.host = host
    // Raw memory rather than an array: read(2) fills it in place and it is never initialised twice.
    buffer = .allocate(byteCount: PlatformLimits.processFileBytes, alignment: 16)
  }

  deinit {
    if directory >= 0 { close(directory) }
    buffer.deallocate()
  }

  /// The ids of the processes, ascending; `isCut` when there are more than `limit`.
  public func list(limit: Int) throws(SensorError) -> (ids: [Int32], isCut: Bool) {
    try numbers("/proc", limit: limit)
  }

  /// The ids of the threads of a process, ascending.
  public func threads(of process: Int32, limit: Int) throws(SensorError) -> (ids: [Int32], isCut: Bool) {
    try numbers("/proc/\(process)/task", limit: limit)
  }

  /// Gives `body` a file of a process, or of one of its threads; what does not fit into `PlatformLimits.processFileBytes` is cut off.
  ///
  /// - Throws: `absent` when the process is gone, `io` for other failures; or what `body` throws.
  public func read<Result>(
    _ process: Int32, thread: Int32? = nil, _ file: StaticString,
    _ body: (inout ByteScanner) throws(SensorError) -> Result
  ) throws(SensorError) -> Result {
    if directory < 0 {
      directory = open(host.root + "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard directory >= 0 else { throw failure(errno, "/proc") }
    }
    compose(process, thread, file)
    let descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(errno, "/proc/\(process)/\(file)") }
    // These files come whole with one read(2), as far as there is room (fs/seq_file.c).
    var count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    while count < 0, errno == EINTR { count = Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    let code = errno
    close(descriptor)
    guard count >= 0, let base = buffer.baseAddress else { throw failure(code, "/proc/\(process)/\(file)") }
    var scanner = ByteScanner(base: base.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(&scanner)
  }

  /// How many descriptors a process has open. Since Linux 6.2 the size of the directory tells it, to everybody
  /// (Documentation/filesystems/proc.rst); before, it must be listed, which takes the rights of a debugger.
  public func descriptorCount(_ process: Int32) throws(SensorError) -> Int {
    let path = "/proc/\(process)/fd"
    // A recorded directory has a size of another kind.
    if host.root.isEmpty, let size = FileStatus(path)?.size, size > 0 { return Int(size) }
    return try numbers(path, limit: PlatformLimits.directoryEntries).ids.count
  }

  /// Gives `body` the inode of each socket among the descriptors of a process, looking at `limit` descriptors at most.
  ///
  /// - Returns: how many descriptors were looked at.
  /// - Throws: `absent` when the process is gone, `io` where rights are missing.
  public func sockets(of process: Int32, limit: Int, _ body: (UInt32) -> Void) throws(SensorError) -> Int {
    let path = "/proc/\(process)/fd"
    guard let entries = opendir(host.root + path) else { throw failure(errno, path) }
    defer { closedir(entries) }
    let directory = dirfd(entries)
    var seen = 0
    while seen < limit, let entry = readdir(entries) {
      guard let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else { break }
      let count = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { readlinkat(directory, $0, base, buffer.count) }
      }
      seen += 1
      // `socket:[31337]`; no link at all are `.` and `..`.
      guard count > 0 else { continue }
      var text = ByteScanner(base: UnsafeRawPointer(base).assumingMemoryBound(to: UInt8.self), count: count)
      guard text.skip("socket:["), let inode = text.unsigned(), inode <= UInt64(UInt32.max) else { continue }
      body(UInt32(inode))
    }
    return seen
  }

  private func failure(_ code: Int32, _ path: String) -> SensorError {
    switch code {
    case ENOENT, ESRCH, ENOTDIR: .absent(path)
    default: .io(path: path, errno: code)
    }
  }

  private func compose(_ process: Int32, _ thread: Int32?, _ file: StaticString) {
    name.removeAll(keepingCapacity: true)
    append(process)
    if let thread {
      append("/task/")
      append(thread)
    }
    append("/")
    append(file)
    name.append(0)
  }

  private func append(_ text: StaticString) {
    for offset in 0..<text.utf8CodeUnitCount { name.append(CChar(bitPattern: text.utf8Start[offset])) }
  }

  private func append(_ number: Int32) {
    let start = name.count
    var rest = number
    repeat {
      name.append(CChar(0x30 + rest % 10))
      rest /= 10
    } while rest > 0
    name[start...].reverse()
  }

  private func numbers(_ path: String, limit: Int) throws(SensorError) -> (ids: [Int32], isCut: Bool) {
    guard let entries = opendir(host.root + path) else { throw failure(errno, path) }
    defer { closedir(entries) }
    var ids: [Int32] = []
    while let entry = readdir(entries) {
      guard let id = withUnsafePointer(to: &entry.pointee.d_name, Self.number) else { continue }
      guard ids.count < limit else { return (ids.sorted(), true) }
      ids.append(id)
    }
    // The kernel gives them in order, a recorded tree need not.
    ids.sort()
    return (ids, false)
  }

  private static func number<Name>(_ name: UnsafePointer<Name>) -> Int32? {
    name.withMemoryRebound(to: UInt8.self, capacity: MemoryLayout<Name>.size) { bytes in
      var value: Int32 = 0
      var index = 0
      while bytes[index] != 0 {
        let digit = bytes[index] &- 0x30
        guard digit < 10, index < 9 else { return nil }
        value = value * 10 + Int32(digit)
        index += 1
      }
      return index > 0 ? value : nil
    }
  }
}
