import Platform
import Telemetry

/// An item of `watches:` in the settings, and what happened there.
struct WatchedPath {
  static let kinds = ["create", "modify", "delete", "move", "attrib", "close_write"]
  private static let bits: [UInt32] = [
    FileEvent.create, FileEvent.modify, FileEvent.delete | FileEvent.deleteSelf,
    FileEvent.movedFrom | FileEvent.movedTo | FileEvent.moveSelf, FileEvent.attributes, FileEvent.closeWrite,
  ]

  static let specs = [
    SettingSpec(required: "path", .text, help: "A directory or a file, absolute. It need not be there yet."),
    SettingSpec("name", .text, default: nil, help: "The label `watch` in metrics; else the path."),
    SettingSpec(
      "match", .patterns, default: "", help: "Patterns (`*`, `?`) over the names in the directory; without any all count."),
    SettingSpec(
      "events", .choices(kinds), default: "create,delete,move,close_write", help: "What counts. `modify` is every single write."),
    SettingSpec(
      "recursive", .bool, default: "false", help: "Whether the directories in it are watched too, 8 levels and 1,024 at most."),
    SettingSpec(
      "event", .bool, default: "false", help: "Whether each is told as an event of kind `file`, in the log and by MQTT."),
    SettingSpec("events_per_minute", .integer(1...600), default: "30", help: "How many are told; the others are only counted."),
  ]

  static let events = Metric(
    "files.events", unit: .none, kind: .counter, labels: ["event", "watch"], help: "Events since the watch began, by kind.")
  static let watched = Metric("files.watched", unit: .none, labels: ["watch"], help: "1 while the path is there and watched.")
  static let quiet = Metric(
    "files.quiet_seconds", unit: .seconds, labels: ["watch"],
    help: "How long nothing happened: since the last event that counts, or since the watch began.")
  static let untold = Metric(
    "files.untold", unit: .none, kind: .counter, labels: ["watch"],
    help: "Events that were counted, but not told: too many in a minute.")

  let name: String
  let path: String
  let isRecursive: Bool
  private let matches: [Glob]
  private let counted: UInt32
  private let told: Int
  private var counts: [UInt64]
  private var untoldCount: UInt64 = 0
  private var changedAt: Int64
  private var minuteBegan: Int64
  private var toldInMinute = 0
  private let countSlots: [(kind: Int, slot: Slot)]
  private let slots: (watched: Slot, quiet: Slot, untold: Slot?)

  /// What is watched for it: itself, or the directory that it lies in, in which only its name counts.
  var directory = ""
  var onlyName: String?
  /// Which directory that was, when the watch was set.
  var identity: (device: UInt64, inode: UInt64)?

  init(_ settings: Settings, _ readings: inout Readings) {
    path = Self.path(settings)
    name = Self.name(settings)
    isRecursive = settings.bool("recursive")
    matches = settings.list("match").map { Glob($0) }
    let chosen = settings.list("events")
    let kinds = Self.kinds.indices.filter { chosen.contains(Self.kinds[$0]) }
    counted = kinds.reduce(0) { $0 | Self.bits[$1] }
    told = settings.bool("event") ? settings.integer("events_per_minute") : 0
    counts = [UInt64](repeating: 0, count: Self.kinds.count)
    (changedAt, minuteBegan) = (readings.nanoseconds, readings.nanoseconds)
    let label = Label("watch", name)
    countSlots = kinds.map { ($0, readings.slot(Self.events, [Label("event", Self.kinds[$0]), label])) }
    let untold = told > 0 ? readings.slot(Self.untold, [label]) : nil
    slots = (readings.slot(Self.watched, [label]), readings.slot(Self.quiet, [label]), untold)
  }

  /// As the directory of its entries is written.
  private static func path(_ settings: Settings) -> String {
    var path = settings.text("path")
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The label of its series.
  static func name(_ settings: Settings) -> String { settings.isSet("name") ? settings.text("name") : path(settings) }

  /// Counts an event of a directory that is watched for this path, and tells it where that is wanted. `isTop`: of the directory itself,
  /// not of one below it.
  mutating func take(_ event: FileEvent, in directory: String, isTop: Bool, at now: Int64, _ told: SensorEvents) {
    let isOwn = event.name.isEmpty || event.mask & (FileEvent.deleteSelf | FileEvent.moveSelf) != 0
    // One below is told by the directory that it lies in.
    if isOwn, !isTop || onlyName != nil || !matches.isEmpty { return }
    if let onlyName, event.name != onlyName { return }
    guard matches.isEmpty || Glob.any(matches, match: event.name) else { return }
    for kind in Self.kinds.indices where event.mask & counted & Self.bits[kind] != 0 {
      counts[kind] += 1
      changedAt = now
      if self.told > 0 {
        tell(event, kind, event.name.isEmpty ? directory : WatchedDirectories.join(directory, event.name), at: now, told)
      }
    }
  }

  private mutating func tell(_ event: FileEvent, _ kind: Int, _ path: String, at now: Int64, _ events: SensorEvents) {
    if now - minuteBegan >= 60_000_000_000 { (minuteBegan, toldInMinute) = (now, 0) }
    guard toldInMinute < told else {
      untoldCount += 1
      return
    }
    let path = Self.clean(path)
    let words: String
    switch kind {
    case 0: words = "created"
    case 1: words = "modified"
    case 2: words = "deleted"
    case 3: words = event.mask & FileEvent.movedTo != 0 ? "moved here" : "moved away"
    case 4: words = "attributes changed"
    default: words = "written"
    }
    let details = [Label("watch", name), Label("path", path), Label("event", Self.kinds[kind])]
    if events.put(SensorEvent(kind: "file", message: "\(path): \(words)", details: details)) {
      toldInMinute += 1
    } else {
      untoldCount += 1
    }
  }

  /// A name may hold anything but a slash: control characters must not reach terminals.
  private static func clean(_ path: String) -> String {
    var clean = ""
    for scalar in path.unicodeScalars.prefix(FilesLimits.toldCharacters) {
      clean.unicodeScalars.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "?" : scalar)
    }
    return clean
  }

  func report(into readings: inout Readings) {
    for (kind, slot) in countSlots { readings.set(slot, Double(counts[kind])) }
    readings.set(slots.watched, identity == nil || onlyName != nil && !isThere ? 0 : 1)
    readings.set(slots.quiet, Double(max(readings.nanoseconds - changedAt, 0)) / 1e9)
    if let untold = slots.untold { readings.set(untold, Double(untoldCount)) }
  }

  /// Whether the file that is watched by its directory was there when this was looked at last.
  var isThere = false
}
