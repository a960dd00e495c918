import Platform
import Telemetry

/// An input with its line, while it has one, and what was counted so far.
struct WatchedInput {
  /// What is counted.
  enum Tally {
    case level(LevelTally)
    case pulses(PulseTally)
  }

  let settings: GPIOInputSettings
  private(set) var tally: Tally
  /// Edges that the kernel had no room for, as far as it can be known.
  private(set) var lostEdges: UInt64 = 0
  /// Why there is no line.
  private(set) var failure: SensorError?
  private(set) var held: (any GPIOInputs)?
  private var lastNumber: UInt32?

  init(_ settings: GPIOInputSettings, debounces: Bool) {
    self.settings = settings
    let debounce = debounces ? 0 : Int64(settings.debounceMilliseconds) * 1_000_000
    tally = settings.countsPulses ? .pulses(PulseTally(debounce: debounce)) : .level(LevelTally(debounce: debounce))
  }

  /// Takes the line.
  mutating func open(_ gpio: any GPIOChips, at now: Int64) {
    do throws(GPIOError) {
      let place = try gpio.find(line: settings.line, chip: settings.chip)
      let wish = settings.wish(offset: place.line.offset, debounces: gpio.debounces)
      let taken = try gpio.request(chip: place.chip.name, inputs: [wish], consumer: "godwit")
      if case .level(var level) = tally {
        let isActive = try taken.isActive(0)
        // An edge may have come before the level was read: then it was the other level before.
        let edges = try taken.takeEdges().edges
        level.begin(isActive: edges.first.map { !$0.isRising } ?? isActive, at: now)
        for edge in edges { level.take(isRising: edge.isRising, at: edge.nanoseconds) }
        lastNumber = edges.last?.sequence
        tally = .level(level)
      } else {
        lastNumber = nil
      }
      held = taken
      failure = nil
    } catch {
      failure = settings.failure(error)
    }
  }

  /// Takes the edges that wait.
  mutating func takeEdges(at now: Int64) {
    guard let held else { return }
    do throws(GPIOError) {
      let taken = try held.takeEdges()
      var needsCorrection = false
      for edge in taken.edges {
        let lost = lost(before: edge)
        lostEdges += lost
        needsCorrection = needsCorrection || lost > 0
        count(edge, lostBefore: lost)
      }
      if !taken.fullQueues.isEmpty {
        // How many followed is not known: at least one may have.
        lostEdges += 1
        needsCorrection = true
      }
      if needsCorrection, case .level(var level) = tally {
        level.correct(isActive: try held.isActive(0), at: now)
        tally = .level(level)
      }
    } catch {
      self.held = nil
      failure = settings.failure(error)
      if case .level(var level) = tally {
        level.end(at: now)
        tally = .level(level)
      }
    }
  }

  private mutating func lost(before edge: GPIOEdge) -> UInt64 {
    guard let number = edge.sequence else { return 0 }
    defer { lastNumber = number }
    // Numbers begin with 1, and wrap.
    return UInt64(number &- (lastNumber ?? 0) &- 1)
  }

  private mutating func count(_ edge: GPIOEdge, lostBefore lost: UInt64) {
    switch tally {
    case .level(var level):
      level.take(isRising: edge.isRising, at: edge.nanoseconds)
      tally = .level(level)
    case .pulses(var pulses):
      pulses.take(at: edge.nanoseconds, lostBefore: lost)
      tally = .pulses(pulses)
    }
  }

  /// What happened to a level up to `now`; nil without a line, and for pulses.
  mutating func level(at now: Int64) -> LevelTally.Values? {
    guard held != nil, case .level(var level) = tally else { return nil }
    defer { tally = .level(level) }
    return level.values(at: now)
  }

  /// All pulses and how many come a second; nil without a line, and for a level.
  mutating func pulses(at now: Int64) -> (total: UInt64, perSecond: Double)? {
    guard held != nil, case .pulses(var pulses) = tally else { return nil }
    defer { tally = .pulses(pulses) }
    return (pulses.pulses, pulses.perSecond(at: now))
  }
}
