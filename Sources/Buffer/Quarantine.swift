import Glibc

/// Sets a damaged buffer aside, so that a fresh one can be made in its place.
public enum Quarantine {
  /// Renames the database and its companions to `<path>.damaged-<Unix seconds>`; keeps the newest
  /// `BufferLimits.setAsideFiles` of them.
  ///
  /// - Returns: the new path of the database.
  public static func setAside(path: String, wallMilliseconds: Int64) throws(BufferError) -> String {
    var target = "\(path).damaged-\(wallMilliseconds / 1000)"
    var attempt = 1
    while access(target, F_OK) == 0, attempt < 100 {
      target = "\(path).damaged-\(wallMilliseconds / 1000)-\(attempt)"
      attempt += 1
    }
    // The log first: if it ends here, a log left beside a fresh database would be played into that.
    for suffix in companions + [""] where rename(path + suffix, target + suffix) != 0 {
      let cause = errno
      if cause == ENOENT, !suffix.isEmpty { continue }
      throw BufferError(kind(cause), "set aside", path: path + suffix, message: String(cString: strerror(cause)))
    }
    let (directory, name) = split(path)
    synchronize(directory)
    forget(directory: directory, prefix: name + ".damaged-", except: split(target).name)
    return target
  }

  /// A sequence number that was surely never given out: of what can still be read in a file that was set aside, and of the clock. Ticks
  /// are rarer than milliseconds, so Unix time in milliseconds is above every number that counted up from 1, and above every
  /// number that began like this.
  public static func unusedSequence(setAside path: String, wallMilliseconds: Int64) -> UInt64 {
    let clock = UInt64(clamping: wallMilliseconds)
    guard let reader = try? Database(path: path, mode: .immutable) else { return max(clock, 1) }
    let queries = [
      "SELECT value FROM meta WHERE key = 'reserved_sequence'", "SELECT max(seq) + 1 FROM tick",
      "SELECT max(last) + 1 FROM block",
    ]
    let read = queries.map { query in
      UInt64(clamping: (try? reader.integer(query)).flatMap { $0 } ?? 0)
    }
    // A damaged number must not carry the node near the end of all numbers; the receivers' JSON is exact up to 2⁵³.
    return (read.filter { $0 < 1 << 52 } + [clock, 1]).max() ?? 1
  }

  private static func kind(_ cause: Int32) -> BufferError.Kind {
    switch cause {
    case EROFS, EACCES, EPERM: .readOnly
    case ENOSPC, EDQUOT: .full
    case ENOENT: .cannotOpen
    default: .io
    }
  }

  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }

  /// Makes the new names last through a power cut.
  private static func synchronize(_ directory: String) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Deletes all but the newest set-aside files. The one just made stays whatever the clock says.
  private static func forget(directory: String, prefix: String, except newest: String) {
    guard let handle = opendir(directory) else { return }
    defer { closedir(handle) }
    var names: Set<String> = []
    while names.count < 1_000, let entry = readdir(handle) {
      var name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(prefix) else { continue }
      for suffix in companions where name.hasSuffix(suffix) { name.removeLast(suffix.count) }
      if name != newest { names.insert(name) }
    }
    for name in names.sorted(by: { age($0, prefix) < age($1, prefix) }).dropLast(BufferLimits.setAsideFiles - 1) {
      for suffix in companions + [""] { unlink("\(directory)/\(name)\(suffix)") }
    }
  }

  /// The numbers of a name, to order by.
  private static func age(_ name: String, _ prefix: String) -> (Int, Int) {
    let numbers = name.dropFirst(prefix.count).split(separator: "-").map { Int($0) ?? 0 }
    return (numbers.first ?? 0, numbers.dropFirst().first ?? 0)
  }

  private static let companions = ["-wal", "-shm", "-journal"]
}
