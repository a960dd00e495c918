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
    guard rename(path, target) == 0 else {
      throw BufferError(.io, "set aside", path: path, message: String(cString: strerror(errno)))
    }
    for suffix in ["-wal", "-shm"] where access(path + suffix, F_OK) == 0 { rename(path + suffix, target + suffix) }
    forget(path: path)
    return target
  }

  /// Deletes all but the newest set-aside files.
  private static func forget(path: String) {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[..<$0]) } ?? "."
    let prefix = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + ".damaged-"
    guard let handle = opendir(directory.isEmpty ? "/" : directory) else { return }
    defer { closedir(handle) }
    var names: [String] = []
    while names.count < 1_000, let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(prefix), !name.hasSuffix("-wal"), !name.hasSuffix("-shm") { names.append(name) }
    }
    for name in names.sorted().dropLast(BufferLimits.setAsideFiles) {
      for suffix in ["", "-wal", "-shm"] { unlink("\(directory)/\(name)\(suffix)") }
    }
  }
}
