import CLinux
import Glibc
public import Telemetry

/// The device as the sensors see it: its files below a root prefix, and the few calls that are not files.
///
/// With the root `/` it is this machine; with any other root it is a recorded tree, and the calls are answered from
/// `<root>/.host/` (see `RecordedCalls`).
public struct Host: Sendable {
  /// The prefix of every path, without a trailing slash; empty for `/`.
  public let root: String
  /// The system calls whose answers are not in files.
  public let calls: any HostCalls

  /// The machine at `root`.
  public init(root: String = "/") {
    var root = root
    while root.hasSuffix("/") { root.removeLast() }
    self.root = root
    calls = root.isEmpty ? LinuxCalls() : RecordedCalls(directory: root + "/.host")
  }

  /// A host with calls of the caller's choice.
  public init(root: String, calls: any HostCalls) {
    self.root = root
    self.calls = calls
  }

  /// A file that is read repeatedly. Nothing is opened yet. `limit` bounds what is read, in bytes.
  public func file(_ path: String, limit: Int = PlatformLimits.hostFileBytes) -> HostFile {
    HostFile(path: path, realPath: root + path, limit: limit)
  }

  /// The first line of a file that is read once; nil when absent or unreadable.
  public func line(_ path: String) -> String? {
    try? file(path).line()
  }

  /// Whether something is at the path.
  public func exists(_ path: String) -> Bool {
    access(root + path, F_OK) == 0
  }

  /// Whether a directory is at the path, or a link to one.
  public func isDirectory(_ path: String) -> Bool {
    FileStatus(root + path)?.isDirectory ?? false
  }

  /// How long ago the file at the path was last written, milliseconds; negative when the clock was set back since. Nil where nothing is found.
  public func age(_ path: String) -> Int64? {
    FileStatus(root + path).map { calls.fileAge(path, modifiedMilliseconds: $0.modifiedMilliseconds) }
  }

  /// The device and inode of what is at the path, links followed; nil where nothing is found.
  public func identity(_ path: String) -> (device: UInt64, inode: UInt64)? {
    FileStatus(root + path).map { ($0.device, $0.inode) }
  }

  /// Whether rights keep this process from reading a path; false where nothing is found.
  public func isBarred(_ path: String) -> Bool {
    access(root + path, R_OK) != 0 && errno == EACCES
  }

  /// The names in a directory, sorted as people count (`cpu2` before `cpu10`), without `.` and `..`; at most
  /// `PlatformLimits.directoryEntries`.
  public func list(_ path: String) throws(SensorError) -> [String] {
    try list(path) { _ in true }
  }

  private func list(_ path: String, isSorted: Bool = true, admitting isAdmitted: (Int) -> Bool) throws(SensorError) -> [String] {
    guard let directory = opendir(root + path) else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR ? .absent(path) : .io(path: path, errno: code)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < PlatformLimits.directoryEntries, let entry = readdir(directory) {
      guard isAdmitted(Int(entry.pointee.d_type)) else { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return isSorted ? names.sorted(by: naturallyPrecedes) : names
  }

  /// The names of the directories in a directory, sorted as people count or as the kernel gives them; links to directories are none.
  public func subdirectories(_ path: String, isSorted: Bool = true) throws(SensorError) -> [String] {
    try list(path, isSorted: isSorted) { $0 == DT_DIR }
  }

  /// Whether a directory of a pseudo file system has no directory in it, as its count of links tells without a look into it; false in doubt.
  public func isLeaf(_ path: String) -> Bool { FileStatus(root + path)?.links == 2 }

  /// The paths that a pattern stands for, whose components may each hold `*` and `?`; one without such is taken as it is.
  public func paths(_ pattern: String) -> [String] {
    var paths = [""]
    for component in pattern.split(separator: "/") {
      let glob = Glob(String(component))
      if !component.utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }) {
        paths = paths.map { $0 + "/" + component }
        continue
      }
      paths = paths.flatMap { path in
        ((try? list(path)) ?? []).filter { glob.matches($0) }.prefix(PlatformLimits.patternMatches).map { path + "/" + $0 }
      }
    }
    return paths
  }

  /// The path with all links followed; as given where nothing is found.
  public func resolved(_ path: String) -> String {
    guard let found = realpath(root + path, nil) else { return path }
    defer { free(found) }
    let whole = String(cString: found)
    return whole.hasPrefix(root) ? String(whole.dropFirst(root.count)) : path
  }

  /// Where a symbolic link points, as written in it; nil when it is none.
  public func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return readlink(root + path, base.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    guard count > 0 else { return nil }
    return String(decoding: buffer[0..<count], as: UTF8.self)
  }
}

/// Orders names so that runs of digits compare as numbers: `cpu2` before `cpu10`.
public func naturallyPrecedes(_ left: String, _ right: String) -> Bool {
  var first = Array(left.utf8)[...]
  var second = Array(right.utf8)[...]
  while let a = first.first, let b = second.first {
    if (0x30...0x39).contains(a), (0x30...0x39).contains(b) {
      let x = first.prefix { (0x30...0x39).contains($0) }
      let y = second.prefix { (0x30...0x39).contains($0) }
      let p = x.drop { $0 == 0x30 }
      let q = y.drop { $0 == 0x30 }
      if p.count != q.count { return p.count < q.count }
      if !p.elementsEqual(q) { return p.lexicographicallyPrecedes(q) }
      first = first.dropFirst(x.count)
      second = second.dropFirst(y.count)
    } else {
      if a != b { return a < b }
      first = first.dropFirst()
      second = second.dropFirst()
    }
  }
  return first.count != second.count ? first.count < second.count : left < right
}
