import Platform
import Telemetry

/// The directories that inotify watches, and for which path of the profile each.
struct WatchedDirectories {
  struct Entry {
    /// inotify's number; paths in one directory share it.
    let watch: Int
    /// The index of the path.
    let path: Int
    let directory: String
    /// 0 is the path itself.
    let depth: Int
  }

  private(set) var entries: [Entry] = []
  /// Why something is not watched, as of the last try.
  private(set) var problem: SensorError?
  private var samplesToTry = 0
  /// There is no room for more, so nothing is tried.
  private var isFull = false
  /// Whether what could not be watched is tried again in this sample.
  private(set) var triesAnew = false

  var count: Int { entries.count }

  /// Begins a sample.
  mutating func begin() {
    triesAnew = samplesToTry == 1
    samplesToTry = max(samplesToTry - 1, 0)
    if triesAnew { (problem, isFull) = (nil, false) }
  }

  /// Those of one number of inotify.
  func of(_ watch: Int) -> [Entry] { entries.filter { $0.watch == watch } }

  /// The path of a name in a directory.
  static func join(_ directory: String, _ name: String) -> String { directory == "/" ? "/\(name)" : "\(directory)/\(name)" }

  /// Watches a directory for a path, and with `isRecursive` those in it; whether at least the directory itself is watched.
  @discardableResult
  mutating func add(
    _ directory: String, of path: Int, depth: Int, isRecursive: Bool, _ host: Host, _ watches: any FileWatches
  ) -> Bool {
    guard !isFull else { return false }
    guard entries.count < FilesLimits.directories else {
      fail(.device("watches", what: "more than \(FilesLimits.directories) directories: the rest is not watched"), isFull: true)
      return false
    }
    do throws(SensorError) {
      // Whoever may write there may put a link in place of a directory, after it was told of.
      let watch = try watches.watch(directory, followsLinks: depth == 0)
      let isKnown = entries.contains { $0.watch == watch && $0.path == path }
      if !isKnown { entries.append(Entry(watch: watch, path: path, directory: directory, depth: depth)) }
    } catch {
      switch error {
      // It went, or is not there yet.
      case .absent: break
      // One that may not be read costs only itself.
      case .io: fail(error, isFull: false)
      default: fail(error, isFull: true)
      }
      return false
    }
    guard isRecursive, depth < FilesLimits.depth else { return true }
    for name in (try? host.subdirectories(directory)) ?? [] {
      _ = add(Self.join(directory, name), of: path, depth: depth + 1, isRecursive: true, host, watches)
    }
    return true
  }

  private mutating func fail(_ error: SensorError, isFull: Bool) {
    if isFull || problem == nil { problem = error }
    self.isFull = isFull
    if samplesToTry == 0 { samplesToTry = FilesLimits.samplesBetweenTries }
  }

  /// Ends the watches of a path.
  mutating func remove(of path: Int, _ watches: any FileWatches) { remove(watches) { $0.path == path } }

  /// Ends those of a path at a directory that was moved away, and below it.
  mutating func remove(below directory: String, of path: Int, _ watches: any FileWatches) {
    remove(watches) { $0.path == path && ($0.directory == directory || $0.directory.hasPrefix(directory + "/")) }
  }

  private mutating func remove(_ watches: any FileWatches, where isGone: (Entry) -> Bool) {
    let gone = entries.filter(isGone)
    entries.removeAll(where: isGone)
    for entry in gone where !entries.contains(where: { $0.watch == entry.watch }) { watches.unwatch(entry.watch) }
  }

  /// The kernel has ended a watch.
  mutating func forget(_ watch: Int) { entries.removeAll { $0.watch == watch } }
}
