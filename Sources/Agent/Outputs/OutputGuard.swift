import Platform

/// Holds the lines of the outputs, in a process of its own: a line that somebody holds keeps its level when the agent is gone, and then goes
/// to its safe state.
final class OutputGuard {
  private struct Held {
    let line: GuardedLine
    var wanted: Bool
    var request: (any GPIOOutputs)?
    /// What was set last; nil while nobody knows.
    var level: Bool?
    var problem: String?
    /// Milliseconds before which it is not tried again.
    var notBefore: Int64 = .min
    var attempts = 0

    init(_ line: GuardedLine) {
      self.line = line
      wanted = line.safe
    }
  }

  private let gpio: any GPIOChips
  private var held: [Held] = []
  /// How long the agent may be silent, milliseconds; nil before it told of lines.
  private(set) var limitMilliseconds: Int?

  init(gpio: any GPIOChips) { self.gpio = gpio }

  /// Does what the agent says. Milliseconds of any clock that does not step.
  func take(_ message: OutputMessage, now: Int64) {
    switch message {
    case .lines(let lines, let limit):
      limitMilliseconds = limit
      hold(lines)
    case .set(let states):
      // States of other lines than these are of a message that got lost, or is still to come.
      guard states.count == held.count else { return }
      for index in held.indices { held[index].wanted = states[index] }
    }
    drive(now)
  }

  /// Sets what is not as it is wanted, and tries again what failed.
  func drive(_ now: Int64) {
    for index in held.indices where held[index].level != held[index].wanted && now >= held[index].notBefore { drive(index, now) }
  }

  /// Nobody drives them any more.
  func makeSafe(_ now: Int64) {
    for index in held.indices {
      held[index].wanted = held[index].line.safe
      held[index].notBefore = .min
    }
    drive(now)
  }

  /// When something that failed is to be tried again, milliseconds; nil when nothing did.
  var nextTry: Int64? { held.filter { $0.level != $0.wanted }.map(\.notBefore).min() }

  var report: OutputReport {
    var problems: [Int: String] = [:]
    for (index, line) in held.enumerated() { problems[index] = line.problem }
    return OutputReport(states: held.map(\.level), problems: problems)
  }

  /// What stays the same stays as it is. What goes is let go in its safe state, and before others are taken: it may be the same line.
  private func hold(_ lines: [GuardedLine]) {
    let old = held
    for index in held.indices where !lines.contains(held[index].line) {
      do throws(GPIOError) { try held[index].request?.set(0, active: held[index].line.safe) } catch {
        // It is let go all the same: nothing more can be done for it.
      }
      held[index].request = nil
    }
    held = lines.map { line in old.first { $0.line == line } ?? Held(line) }
  }

  private func drive(_ index: Int, _ now: Int64) {
    do throws(GPIOError) {
      if let request = held[index].request {
        try request.set(0, active: held[index].wanted)
      } else {
        let line = held[index].line
        let place = try gpio.find(line: line.line, chip: line.chip)
        held[index].request = try gpio.request(
          chip: place.chip.name,
          outputs: [GPIOOutput(offset: place.line.offset, isActiveLow: line.isActiveLow, isActive: held[index].wanted)],
          consumer: "godwit")
      }
      held[index].level = held[index].wanted
      (held[index].problem, held[index].attempts, held[index].notBefore) = (nil, 0, .min)
    } catch {
      held[index].request = nil
      held[index].level = nil
      held[index].problem = "\(error)"
      let wait = min(Int64(1_000) << min(held[index].attempts, 20), AgentLimits.lineRetryMilliseconds)
      held[index].notBefore = now + wait
      held[index].attempts += 1
    }
  }
}
