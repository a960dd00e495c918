/// A line as the guard needs to know it.
struct GuardedLine: Hashable, Sendable {
  var name: String
  /// Nil: the chip that has a line of that name.
  var chip: String?
  var line: String
  var isActiveLow: Bool
  var safe: Bool
}

/// What the agent tells the guard of its outputs: a packet each, of text.
///
/// ```
/// lines LIMIT         all lines, each in a row of its own; none of others is held any more. LIMIT: milliseconds that the agent may be silent
/// NAME⇥CHIP⇥LINE⇥high|low⇥on|off
/// …
/// set 0110…           the state of each line in that order, at each tick: whatever was lost before, this holds
/// ```
enum OutputMessage: Hashable, Sendable {
  case lines([GuardedLine], limitMilliseconds: Int)
  case set([Bool])

  var packet: [UInt8] {
    switch self {
    case .set(let states): return Array("set ".utf8) + states.map { $0 ? UInt8(ascii: "1") : UInt8(ascii: "0") }
    case .lines(let lines, let limit):
      var text = "lines \(limit)"
      for line in lines {
        text +=
          "\n\(line.name)\t\(line.chip ?? "")\t\(line.line)\t\(line.isActiveLow ? "low" : "high")\t\(line.safe ? "on" : "off")"
      }
      return Array(text.utf8)
    }
  }

  /// Nil for what is none.
  init?(_ packet: [UInt8]) {
    let rows = packet.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard let words = rows.first?.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false),
      words.count == 2
    else { return nil }
    switch String(decoding: words[0], as: UTF8.self) {
    case "set":
      guard words[1].allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "1") }) else { return nil }
      self = .set(words[1].map { $0 == UInt8(ascii: "1") })
    case "lines":
      guard let limit = Int(String(decoding: words[1], as: UTF8.self)), limit > 0 else { return nil }
      var lines: [GuardedLine] = []
      for row in rows.dropFirst() {
        let fields = row.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
          .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count == 5, lines.count < AgentLimits.guardedLines else { return nil }
        lines.append(
          GuardedLine(
            name: fields[0], chip: fields[1].isEmpty ? nil : fields[1], line: fields[2], isActiveLow: fields[3] == "low",
            safe: fields[4] == "on"))
      }
      self = .lines(lines, limitMilliseconds: limit)
    default: return nil
    }
  }
}

/// What the guard answers: one character a line (`1` on, `0` off, `-` not held), and behind it a row for each problem.
///
/// ```
/// state 01-
/// 2⇥GPIO22 is held by 'gpioset'
/// ```
struct OutputReport: Hashable, Sendable {
  var states: [Bool?]
  /// By the line's place.
  var problems: [Int: String] = [:]

  init(states: [Bool?], problems: [Int: String] = [:]) {
    self.states = states
    self.problems = problems
  }

  var packet: [UInt8] {
    var bytes = Array("state ".utf8)
    bytes += states.map { $0 == nil ? UInt8(ascii: "-") : $0 == true ? UInt8(ascii: "1") : UInt8(ascii: "0") }
    for (place, problem) in problems.sorted(by: { $0.key < $1.key }) {
      // A name from the kernel or a file must not make a row of its own.
      let flat = problem.utf8.prefix(AgentLimits.guardProblemBytes).map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }
      bytes += Array("\n\(place)\t".utf8) + flat
    }
    return bytes
  }

  /// Nil for what is none.
  init?(_ packet: [UInt8]) {
    let rows = packet.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard let first = rows.first, first.starts(with: "state ".utf8) else { return nil }
    states = first.dropFirst("state ".utf8.count).map { $0 == UInt8(ascii: "-") ? nil : $0 == UInt8(ascii: "1") }
    for row in rows.dropFirst() {
      let fields = row.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
      guard fields.count == 2, let place = Int(String(decoding: fields[0], as: UTF8.self)) else { return nil }
      problems[place] = String(decoding: fields[1], as: UTF8.self)
    }
  }
}
