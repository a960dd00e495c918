import Platform
public import Telemetry

/// What happens to files and directories, by inotify.
///
/// In the slow lane because a path may lie on a file system that hangs.
public struct FilesSensor: Sensor {
  private static let overflows = Metric(
    "files.overflows", unit: .none, kind: .counter, help: "How often the kernel's queue was full and events were lost.")
  private static let directories = Metric(
    "files.directories", unit: .none, help: "Directories that are watched, for all paths together.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "files", summary: "What happens to files and directories: created, written, deleted, moved, attributes changed.",
    sources: ["inotify(7)"], lane: .slow, everySeconds: 2,
    settings: [
      SettingSpec("watches", .items(WatchedPath.specs), default: nil, help: "The paths, 32 at most. Without any nothing is done.")
    ],
    metrics: [WatchedPath.events, WatchedPath.watched, WatchedPath.quiet, WatchedPath.untold, directories, overflows],
    check: { settings in
      let items = settings.items("watches")
      for (index, item) in items.enumerated() {
        let path = item.text("path")
        guard path.hasPrefix("/") else {
          return SettingError(what: "the path '\(path)' is not absolute", remedy: "begin it with `/`")
        }
        guard !path.utf8.contains(UInt8(ascii: "*")) else {
          return SettingError(what: "the path '\(path)' is a pattern", remedy: "name the directory, and the files under `match`")
        }
        let name = WatchedPath.name(item)
        if items[..<index].contains(where: { WatchedPath.name($0) == name }) {
          return SettingError(what: "two watches are called '\(name)'", remedy: "give one of them another `name`")
        }
      }
      guard items.count <= FilesLimits.paths else {
        return SettingError(what: "there are \(items.count) watches", remedy: "\(FilesLimits.paths) at most are watched")
      }
      return nil
    })

  private let host: Host
  private let events: SensorEvents
  private let watches: any FileWatches
  private var paths: [WatchedPath]
  private var watched = WatchedDirectories()
  private var overflowCount: UInt64 = 0
  private let slots: (directories: Slot, overflows: Slot)

  /// Begins to watch nothing; the first sample does.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    let items = settings.items("watches")
    guard !items.isEmpty else { throw .absent("the profile names no watches") }
    (host, events) = (context.host, context.events)
    watches = try host.calls.fileWatches()
    paths = []
    for item in items { paths.append(WatchedPath(item, &readings)) }
    slots = (readings.slot(Self.directories), readings.slot(Self.overflows))
  }

  /// Takes what happened, then looks whether the paths are still the same.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    var taken: [FileEvent] = []
    var isLost = false
    for _ in 0..<FilesLimits.readsPerSample {
      guard watches.take(into: &taken) else { break }
      for event in taken { isLost = handle(event, at: readings.nanoseconds) || isLost }
      taken.removeAll(keepingCapacity: true)
    }
    if isLost {
      overflowCount += 1
      readings.note(.device("inotify", what: "events were lost: the sysctl fs.inotify.max_queued_events bounds its queue"))
    }
    watched.begin()
    for index in paths.indices { look(index, afterLoss: isLost) }
    if let problem = watched.problem { readings.note(problem) }
    for path in paths { path.report(into: &readings) }
    readings.set(slots.directories, Double(watched.count))
    readings.set(slots.overflows, Double(overflowCount))
  }

  /// Whether it says that events were lost.
  private mutating func handle(_ event: FileEvent, at now: Int64) -> Bool {
    if event.mask & FileEvent.overflow != 0 { return true }
    let isEnd = event.mask & FileEvent.ignored != 0
    for entry in watched.of(event.watch) {
      let isTop = entry.depth == 0
      if isEnd {
        // It is watched anew when there is one again.
        if isTop { paths[entry.path].identity = nil }
        continue
      }
      paths[entry.path].take(event, in: entry.directory, isTop: isTop, at: now, events)
      guard paths[entry.path].isRecursive, event.mask & FileEvent.isDirectory != 0, !event.name.isEmpty else { continue }
      let child = WatchedDirectories.join(entry.directory, event.name)
      if event.mask & FileEvent.movedFrom != 0 { watched.remove(below: child, of: entry.path, watches) }
      if event.mask & (FileEvent.create | FileEvent.movedTo) != 0 {
        watched.add(child, of: entry.path, depth: entry.depth + 1, isRecursive: true, host, watches)
      }
    }
    if isEnd { watched.forget(event.watch) }
    return false
  }

  /// Watches a path that came, or that is another one now: by its device and inode, for what lies above may have been renamed or mounted over.
  private mutating func look(_ index: Int, afterLoss: Bool) {
    let path = paths[index].path
    let isDirectory = host.isDirectory(path)
    paths[index].isThere = isDirectory || host.exists(path)
    let (directory, name) = isDirectory ? (path, nil) : Self.parent(path)
    let identity = host.identity(directory)
    let isSame =
      paths[index].identity.map { known in identity.map { $0 == known } ?? false } ?? false
      && paths[index].directory == directory
    // Directories may have come that nobody told of.
    if isSame, !(paths[index].isRecursive && (afterLoss || watched.triesAnew)) { return }
    if !isSame { watched.remove(of: index, watches) }
    (paths[index].directory, paths[index].onlyName) = (directory, name)
    let isRecursive = paths[index].isRecursive && name == nil
    let isWatched = watched.add(directory, of: index, depth: 0, isRecursive: isRecursive, host, watches)
    if !isSame { paths[index].identity = isWatched ? identity : nil }
  }

  private static func parent(_ path: String) -> (directory: String, name: String?) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (path, nil) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }
}
