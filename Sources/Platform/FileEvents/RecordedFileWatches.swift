import Glibc
public import Telemetry

extension RecordedCalls {
  /// From `file-events`: what happens before each sample, a line each; directories are those of the tree. Paths and names are written as in
  /// mountinfo, kinds are those of inotify(7).
  ///
  /// ```
  /// directory kind[,kind …] [name]     /etc/app close_write passwd.conf
  /// limit watches                      limit 2
  /// barred directory                   barred /srv/private
  /// overflow
  /// ```
  public func fileWatches() throws(SensorError) -> any FileWatches { RecordedFileWatches(self) }
}

private final class RecordedFileWatches: FileWatches {
  private static let kinds: [(name: String, bits: UInt32)] = [
    ("modify", FileEvent.modify), ("attrib", FileEvent.attributes), ("close_write", FileEvent.closeWrite),
    ("moved_from", FileEvent.movedFrom), ("moved_to", FileEvent.movedTo), ("create", FileEvent.create),
    ("delete", FileEvent.delete), ("delete_self", FileEvent.deleteSelf), ("move_self", FileEvent.moveSelf),
    ("ignored", FileEvent.ignored), ("isdir", FileEvent.isDirectory),
  ]

  private let tree: Host
  private let file: HostFile
  /// By the number of the watch.
  private var paths: [String?] = []
  private var isTaken = false

  init(_ calls: RecordedCalls) {
    file = calls.recorded("/file-events")
    tree = Host(root: calls.tree, calls: calls)
  }

  func watch(_ path: String, followsLinks: Bool) throws(SensorError) -> Int {
    guard tree.isDirectory(path), followsLinks || !isLink(path) else { throw .absent(path) }
    if let known = paths.firstIndex(of: path) { return known }
    if lines().contains(where: { $0.count == 2 && $0[0] == "barred" && unescapedOctal($0[1]) == path }) {
      throw .io(path: path, errno: EACCES)
    }
    let most = lines().first { $0.first == "limit" }?.last.flatMap { Int($0) }
    if let most, paths.count(where: { $0 != nil }) >= most { throw FileWatchFailure.noWatches }
    paths.append(path)
    return paths.count - 1
  }

  private func isLink(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard let name = parts.last else { return false }
    let names = try? tree.subdirectories("/" + parts.dropLast().joined(separator: "/"))
    return names?.contains(String(name)) != true
  }

  func unwatch(_ watch: Int) { paths[watch] = nil }

  func take(into events: inout [FileEvent]) -> Bool {
    isTaken.toggle()
    guard isTaken else { return false }
    for words in lines() {
      if words[0] == "overflow" { events.append(FileEvent(watch: -1, mask: FileEvent.overflow, name: "")) }
      guard words.count >= 2, let watch = paths.firstIndex(of: unescapedOctal(words[0])) else { continue }
      var mask: UInt32 = 0
      for word in words[1].split(separator: ",") { mask |= Self.kinds.first { $0.name == word }?.bits ?? 0 }
      events.append(FileEvent(watch: watch, mask: mask, name: words.count > 2 ? unescapedOctal(words[2]) : ""))
      if mask & FileEvent.ignored != 0 { paths[watch] = nil }
    }
    return true
  }

  private func lines() -> [[String]] {
    let lines = try? file.read { (text) throws(SensorError) in
      var lines: [[String]] = []
      while !text.isAtEnd {
        let words = text.restOfLine().split(separator: " ").map { String($0) }
        if !words.isEmpty { lines.append(words) }
        text.skipLine()
      }
      return lines
    }
    return lines ?? []
  }
}
