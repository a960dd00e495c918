import Glibc
import Platform
import Profile
import Synchronization
import Telemetry

/// Writes what an operator should know to its descriptor, stderr, a line each: for the journal with its priority, else with the time, or as JSON.
/// A problem that repeats is written once and then counted.
final class Log: Sendable {
  private struct State {
    var level: LogProfile.Level
    var format: LogProfile.Format
    var repeats: [String: Int] = [:]
  }

  private let state: Mutex<State>
  private let isJournal: Bool
  private let clock: any Clock
  private let descriptor: Int32

  init(_ profile: LogProfile, clock: any Clock, environment: [String: String], descriptor: Int32 = STDERR_FILENO) {
    self.descriptor = descriptor
    state = Mutex(State(level: profile.level, format: profile.format))
    isJournal = environment["JOURNAL_STREAM"] != nil
    self.clock = clock
  }

  func configure(_ profile: LogProfile) {
    state.withLock {
      $0.level = profile.level
      $0.format = profile.format
    }
  }

  func debug(_ part: String, _ message: String) { write(.debug, part, message) }
  func info(_ part: String, _ message: String) { write(.info, part, message) }
  func warning(_ part: String, _ message: String) { write(.warning, part, message) }
  func error(_ part: String, _ message: String) { write(.error, part, message) }

  /// A problem of `part`: written when it is not the one that was written last for it, else counted.
  func problem(_ part: String, _ message: String, level: LogProfile.Level = .warning) {
    let message = Self.line(message)
    let isNew = state.withLock { state in
      let key = part + "\u{1F}" + message
      if let count = state.repeats[key] {
        state.repeats[key] = count + 1
        return false
      }
      if state.repeats.count >= AgentLimits.logKeys { state.repeats.removeAll() }
      state.repeats[key] = 0
      return true
    }
    if isNew { write(level, part, message) }
  }

  /// Several problems of `part` at a time, each by itself: which they are must not hide behind a number. Those that were told are only counted.
  func problems(_ part: String, _ problems: [SensorError], count: Int, areTold: Bool) {
    for error in areTold ? problems.prefix(1) : problems[...] { problem(part, "\(error)") }
    if !areTold, count > problems.count { problem(part, "more than \(problems.count) problems; the others are not named") }
  }

  /// All is well with `part` again: says so once if there had been problems, with how often each came again.
  func recovered(_ part: String, _ message: String) {
    let prefix = part + "\u{1F}"
    let counts = state.withLock { state -> [Int] in
      let keys = state.repeats.keys.filter { $0.hasPrefix(prefix) }
      return keys.compactMap { state.repeats.removeValue(forKey: $0) }
    }
    guard !counts.isEmpty else { return }
    let repeats = counts.reduce(0, +)
    write(.info, part, message + (repeats > 0 ? " (the problem came \(repeats) more times)" : ""))
  }

  /// Writes a line of a level.
  func write(_ level: LogProfile.Level, _ part: String, _ message: String) {
    let (minimum, format) = state.withLock { ($0.level, $0.format) }
    guard level >= minimum else { return }
    let message = Self.line(message)
    var line: [UInt8]
    if format == .json {
      var json = JSONWriter()
      json.beginObject()
      json.key("t")
      json.string(WallTime.text(clock.wallMilliseconds()))
      json.key("level")
      json.string(level.rawValue)
      json.key("part")
      json.string(part)
      json.key("message")
      json.string(message)
      json.endObject()
      line = json.bytes
    } else {
      let head =
        isJournal && format == .auto ? "<\(level.priority)>" : "\(WallTime.text(clock.wallMilliseconds())) \(level.rawValue) "
      line = Array("\(head)\(part): \(message)".utf8)
    }
    line.append(UInt8(ascii: "\n"))
    // A pipe that nobody reads must not hold up the tick: what it has no room for is not logged.
    guard Poll.wait([(descriptor, .writable)], milliseconds: 0)[0].contains(.writable) else { return }
    _ = Glibc.write(descriptor, line, line.count)
  }

  /// A message as one line of bounded length. What a program or a device said may hold line feeds, which would forge lines, and escape
  /// sequences, which a terminal would obey.
  static func line(_ message: String) -> String {
    var text = String.UnicodeScalarView()
    var bytes = 0
    for scalar in message.unicodeScalars {
      bytes += UTF8.width(scalar)
      guard bytes <= AgentLimits.logMessageBytes else {
        text.append("…")
        break
      }
      switch scalar.value {
      case 0x0A: text.append(contentsOf: "; ".unicodeScalars)
      case 0..<0x20, 0x7F..<0xA0: text.append(" ")
      default: text.append(scalar)
      }
    }
    return String(text)
  }
}

extension LogProfile.Level {
  /// The syslog priority, as sd-daemon(3) prefixes it.
  var priority: Int {
    switch self {
    case .debug: 7
    case .info: 6
    case .warning: 4
    case .error: 3
    }
  }
}
