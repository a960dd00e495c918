import Platform
import Telemetry

/// Which groups a process belongs to by its program or command line. Read only for processes that are new or changed their name.
struct CommandMatch {
  private let groups: [(bit: UInt64, choice: WatchedGroupSettings.Choice)]
  private let needsProgram: Bool

  init(_ settings: [WatchedGroupSettings]) {
    groups = settings.enumerated().filter { $0.element.choice.isByCommand }.map { (1 << UInt64($0.offset), $0.element.choice) }
    needsProgram = groups.contains { if case .executable = $0.choice { true } else { false } }
  }

  /// Looks at the processes whose command is not known yet, or not for sure.
  func assign(_ table: inout ProcessTable, _ files: ProcessFiles, _ host: Host) {
    guard !groups.isEmpty else { return }
    for id in table.ids {
      guard let process = table.processes[id], process.scans < 3 || process.isRenamed, !process.stat.isKernelThread else {
        continue
      }
      // It may have ended.
      let words = try? files.read(id, "cmdline") { (text) throws(SensorError) in Self.words(&text) }
      guard let words else { continue }
      let program = needsProgram ? host.link("/proc/\(id)/exe") : nil
      table.assign(id, groups: matches(words, program: program))
    }
  }

  /// The bits of the groups. `program` is what `/proc/<pid>/exe` points to, nil where that may not be known.
  func matches(_ words: [String], program: String?) -> UInt64 {
    var bits: UInt64 = 0
    for group in groups {
      let isMatch =
        switch group.choice {
        case .executable(let path): Self.isProgram(path, program, words)
        case .command(let pattern): pattern.matches(words.joined(separator: " "))
        case .unit, .cgroup, .pidFile: false
        }
      if isMatch { bits |= group.bit }
    }
    return bits
  }

  private static func isProgram(_ path: Glob, _ program: String?, _ words: [String]) -> Bool {
    if let program {
      // What the kernel adds when the file was replaced while it runs, as an update does.
      let mark = " (deleted)"
      return path.matches(program) || program.hasSuffix(mark) && path.matches(String(program.dropLast(mark.utf8.count)))
    }
    guard let word = words.first, !word.isEmpty else { return false }
    if word.utf8.contains(UInt8(ascii: "/")) { return path.matches(word) }
    let name = path.pattern.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.pattern[path.pattern.utf8.index(after: $0)...] }
    return name.map { Glob(String($0)).matches(word) } ?? false
  }

  /// The words of `/proc/<pid>/cmdline`, each ended by a zero byte (proc_pid_cmdline(5)).
  static func words(_ text: inout ByteScanner) -> [String] {
    var words: [String] = []
    while !text.isAtEnd {
      words.append(text.text { $0 == 0 })
      _ = text.skip(byte: 0)
    }
    return words
  }
}
