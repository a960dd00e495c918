import Buffer
import Platform
import Profile
import Telemetry

/// The buffer file of commands that ask no agent.
enum BufferPlace {
  /// Opens it for reading, beside a running agent or without one.
  static func open(_ path: String) throws -> BufferReader {
    try check(path)
    return try Failure.rethrow { try BufferReader(path: path) }
  }

  /// That there is a file one may read; an error of SQLite's would not say what to do.
  static func check(_ path: String) throws {
    guard !Host().isBarred(path) else {
      throw Failure("\(path): it may not be read by this user; use sudo, or join the group that owns it")
    }
    guard !Host().exists(path) else { return }
    throw Failure("\(path): there is no buffer file; name one with --buffer FILE, or its profile with --profile FILE")
  }

  /// That what is written replaces neither the buffer nor a file that SQLite or an agent keeps beside it: all values would be lost.
  static func checkIsElsewhere(_ output: String, than path: String) throws {
    guard !Host().isDirectory(output) else { throw Failure("\(output): it is a directory; name a file in it", status: 2) }
    guard ["", "-wal", "-shm", "-journal", ".lock"].contains(where: { StagedFile.areOneFile(output, path + $0) }) else { return }
    throw Failure("\(output): it belongs to the buffer that is read; name another file", status: 2)
  }

  /// Series that a metric's name, a series' key or a pattern names, as people count; all without any pattern.
  static func series(_ all: [StoredSeries], matching patterns: [String]) throws -> [StoredSeries] {
    let globs = patterns.map(Glob.init)
    let matching = all.filter { series in
      patterns.isEmpty || patterns.contains(series.name) || patterns.contains(series.key) || Glob.any(globs, match: series.key)
        || Glob.any(globs, match: series.name)
    }
    guard matching.isEmpty, let first = patterns.first else { return matching }
    let names = Set(all.map(\.name)).sorted()
    let family = first.prefix { $0 != "." }
    let near = names.filter { $0.hasPrefix(family + ".") }
    let listed = near.isEmpty ? names.map { String($0.prefix { $0 != "." }) + ".*" } : near
    let some = Array(Set(listed)).sorted().prefix(20).joined(separator: ", ")
    throw Failure("the buffer has no series of '\(first)'; it has \(some.isEmpty ? "none at all" : some)")
  }
}

extension Tier {
  /// For people.
  var title: String {
    switch self {
    case .raw: "raw ticks"
    case .minute: "1 min rollups"
    case .hour: "1 h rollups"
    }
  }
}
