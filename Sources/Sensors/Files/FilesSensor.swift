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
    check: check, bounds: bounds)

  private static func bounds(_ settings: Settings) -> [MetricBound] {
    let items = settings.items("watches")
    guard !items.isEmpty else {
      return [.off(kind.metrics, why: "'watches' names nothing", remedy: "name a path in 'watches'")]
    }
    let told = items.filter { $0.bool("event") }
    return [
      .label("watch", of: [WatchedPath.watched, WatchedPath.quiet, WatchedPath.events], is: items.map(WatchedPath.name)),
      .named("event", of: [WatchedPath.events], in: "events", items.flatMap { $0.list("events") }),
      told.isEmpty
        ? .off([WatchedPath.untold], why: "no watch has 'event: true'", remedy: "write it at an item of 'watches'")
        : .label("watch", of: [WatchedPath.untold], is: told.map(WatchedPath.name)),
    ]
  }

  private static func check(_ settings: Settings) -> [SettingFault] {
    let items = settings.items("watches")
    var faults: [SettingFault] = []
    for (index, item) in items.enumerated() {
      func add(_ key: String?, _ what: String, _ remedy: String) {
        faults.append(SettingFault("watches", item: index, key, what: what, remedy: remedy))
      }
      let path = item.text("path")
      if !path.hasPrefix("/") { add("path", "the path '\(path)' is not absolute", "begin it with `/`") }
      if path.utf8.contains(UInt8(ascii: "*")) {
        add("path", "the path '\(path)' is a pattern", "name the directory, and the files under `match`")
      }
      let name = WatchedPath.name(item)
      if items[..<index].contains(where: { WatchedPath.name($0) == name }) {
        add(item.isSet("name") ? "name" : "path", "two watches are called '\(name)'", "give one of them another `name`")
      }
    }
    if items.count > FilesLimits.paths {
      faults.append(
        SettingFault(
          "watches", what: "there are \(items.count) watches", remedy: "\(FilesLimits.paths) at most are watched"))
    }
    return faults
  }

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
