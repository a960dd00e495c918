import Platform
import Telemetry

/// The control group of a watched group: its processes, processor time and kills (Documentation/admin-guide/cgroup-v2.rst; the
/// older hierarchies: Documentation/admin-guide/cgroup-v1).
struct WatchedCgroup {
  private static let root = "/sys/fs/cgroup"

  private let host: Host
  /// Where hierarchies that know all processes are mounted.
  private let hierarchies: [String]
  /// The name of a unit's directory, wherever it lies; nil when the path is given.
  private let unit: String?
  private var path: String
  private var directory: String?
  private var usage, kills, siblingKills: HostFile?
  private var samplesToSearch = 0
  /// Once it was the system's unit, a user's of the same name is none.
  private var isOfSystem = false

  init(_ host: Host, unit: String) { self.init(host, path: "/system.slice/" + unit, unit: unit) }

  init(_ host: Host, path: String) { self.init(host, path: path, unit: nil) }

  private init(_ host: Host, path: String, unit: String?) {
    (self.host, self.path, self.unit) = (host, path, unit)
    let isUnified = host.exists(Self.root + "/cgroup.controllers")
    // In the older form each controller has a tree of its own; systemd keeps one that holds all.
    hierarchies = isUnified ? [Self.root] : ["systemd", "unified", "memory", "cpuacct", "pids"].map { Self.root + "/" + $0 }
  }

  /// The processes in it and in those below it, in no order; nil while there is no such control group.
  ///
  /// - Throws: when there are no control groups at all.
  mutating func processes() throws(SensorError) -> [Int32]? {
    guard host.exists(Self.root) else { throw .absent(Self.root) }
    guard let top = find() else { return nil }
    var ids: [Int32] = []
    walk(from: top) { directory in
      // One of threads has no list of processes (EOPNOTSUPP); one above it has them.
      try? host.file(directory + "/cgroup.procs").read { (text) throws(SensorError) in
        while let id = text.unsigned() {
          ids.append(Int32(clamping: id))
          text.skipLine()
        }
      }
      return true
    }
    return ids
  }

  /// Goes through a directory and those below it that `isWanted`, while `body` wants more.
  private func walk(from top: String, where isWanted: (String) -> Bool = { _ in true }, _ body: (String) -> Bool) {
    var open = [(directory: top, depth: 0)]
    var seen = 0
    while seen < open.count, seen < ProcessLimits.cgroups {
      let (directory, depth) = open[seen]
      seen += 1
      guard body(directory) else { return }
      guard depth < ProcessLimits.cgroupDepth, let below = try? host.subdirectories(directory) else { continue }
      for name in below where isWanted(name) { open.append((directory + "/" + name, depth + 1)) }
    }
  }

  private mutating func find() -> String? {
    if let directory, host.isDirectory(directory) { return directory }
    if directory != nil { close() }
    for hierarchy in hierarchies where host.isDirectory(hierarchy + path) {
      if path.hasPrefix("/system.slice/") { isOfSystem = true }
      return open(hierarchy, path)
    }
    guard let unit else { return nil }
    samplesToSearch -= 1
    guard samplesToSearch < 0 else { return nil }
    samplesToSearch = ProcessLimits.samplesBetweenSearches - 1
    if let found = search(for: unit, ofUsers: false) { return found }
    return isOfSystem ? nil : search(for: unit, ofUsers: true)
  }

  /// The system's units lie in slices, those of users in slices of their `user@NUMBER.service`. What is inside any other was made by that
  /// one: a container has units of the same names.
  private mutating func search(for unit: String, ofUsers: Bool) -> String? {
    for hierarchy in hierarchies {
      var found: String?
      walk(from: hierarchy, where: { $0 == unit || $0.hasSuffix(".slice") || ofUsers && $0.hasPrefix("user@") }) { directory in
        if directory.hasSuffix("/" + unit) { found = directory }
        return found == nil
      }
      guard let found else { continue }
      isOfSystem = !ofUsers
      return open(hierarchy, String(found.dropFirst(hierarchy.count)))
    }
    return nil
  }

  /// The counts of the one above it are still of use: they tell why this one is gone.
  private mutating func close() { (directory, usage, kills) = (nil, nil, nil) }

  private mutating func open(_ hierarchy: String, _ path: String) -> String {
    self.path = path
    let directory = hierarchy + path
    self.directory = directory
    usage = file([directory + "/cpu.stat", Self.root + "/cpuacct\(path)/cpuacct.usage"])
    kills = file([directory + "/memory.events", Self.root + "/memory\(path)/memory.oom_control"])
    if let end = directory.utf8.lastIndex(of: UInt8(ascii: "/")) { siblingKills = file([directory[..<end] + "/memory.events"]) }
    return directory
  }

  private func file(_ paths: [String]) -> HostFile? {
    paths.first(where: host.exists).map { host.file($0, limit: 16_384) }
  }

  /// Processor time of all that ever ran in it, microseconds.
  func usageMicroseconds() -> UInt64? {
    let value = try? usage?.read { (text) throws(SensorError) -> UInt64? in
      // cpuacct.usage is one number of nanoseconds.
      if let nanoseconds = text.unsigned() { return nanoseconds / 1000 }
      return Self.number("usage_usec ", &text)
    }
    return value ?? nil
  }

  /// Processes of it that were killed for want of memory.
  func oomKills() -> UInt64? { Self.killed(kills) }

  /// The same of the one above it, all those below included; it stays when this one is removed and made anew.
  func siblingOOMKills() -> UInt64? { Self.killed(siblingKills) }

  private static func killed(_ file: HostFile?) -> UInt64? {
    let value = try? file?.read { (text) throws(SensorError) in number("oom_kill ", &text) }
    return value ?? nil
  }

  /// The number behind a key of a flat keyed file.
  static func number(_ key: StaticString, _ text: inout ByteScanner) -> UInt64? {
    while !text.isAtEnd {
      if text.skip(key) { return text.unsigned() }
      text.skipLine()
    }
    return nil
  }
}
