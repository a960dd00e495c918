public import Buffer
import Telemetry

/// Shows a node in Home Assistant: announces it in parts, sends the newest values at an interval, takes away what vanishes. No I/O.
///
/// Times are CLOCK_BOOTTIME milliseconds. Nothing here is ever sent late: Home Assistant files a value under the time at which it
/// comes. Source: home-assistant.io/integrations/mqtt, "Device discovery payload"; behaviour as in its `discovery.py`.
public struct HomeAssistantPayload: Sendable {
  var settings: HomeAssistantSettings
  var entities: [HomeAssistantEntity] = []
  /// Hashes that are taken.
  private var hashes: Set<UInt64> = []
  /// Series of each family so far: the next one's part follows from it.
  private var counts: [String: Int] = [:]
  var parts: [String: HomeAssistantPart] = [:]
  /// The parts in the order in which they came up.
  var order: [String] = []
  var farewells: [HomeAssistantFarewell] = []
  var isConnected = false
  var stateAt: Int64 = 0
  /// The next part of the state that is being sent.
  var cursor: Int?
  /// When the first series that a reload put in question is due.
  var stockAt: Int64?

  /// Knows no series.
  public init(_ settings: HomeAssistantSettings) {
    self.settings = settings
    addRulesAndCommands(now: 0)
  }

  // MARK: What happens

  /// A connection came about: everything is announced anew, since the broker may have forgotten it.
  public mutating func connected(now: Int64) {
    isConnected = true
    cursor = nil
    stateAt = now
    for name in order { parts[name]?.reconnect(now: now) }
    for index in farewells.indices { farewells[index].emptyAt = nil }
  }

  /// The connection is gone: nothing is sent.
  public mutating func disconnected() { isConnected = false }

  /// A message on `birthTopic`: when Home Assistant has started, everything is announced again, after a while by chance, so that a
  /// fleet does not do it all at once.
  public mutating func hear(topic: String, payload: [UInt8], now: Int64, using random: inout some RandomNumberGenerator) {
    guard topic == settings.birthTopic, payload.elementsEqual("online".utf8) else { return }
    let delay = Int64.random(in: 0...Int64(UplinkLimits.homeAssistantBirthSpreadMilliseconds), using: &random)
    for name in order { parts[name]?.change(now: now + delay) }
  }

  /// Series that the buffer named; ids follow on. All it ever named have to come by here, in order, before values of them do.
  public mutating func learn(_ series: [StoredSeries], now: Int64) {
    for series in series where series.id == entities.count && entities.count < Limits.seriesPerNode {
      var hash = HomeAssistantNames.hash(series.key)
      while !hashes.insert(hash).inserted { hash = (hash + 1) & HomeAssistantNames.hashMask }
      let family = String(series.name.prefix { $0 != "." })
      let name = Self.part(of: family, position: counts[family, default: 0])
      counts[family, default: 0] += 1
      entities.append(HomeAssistantEntity(series, family: family, part: name, hash: hash))
      if case .series(let members)? = parts[name]?.content {
        parts[name]?.content = .series(members + [series.id])
      } else {
        parts[name] = HomeAssistantPart(.series([series.id]))
        order.append(name)
      }
      // A sensor may have left the profile while the agent did not run.
      if settings.families[family] == nil { bury(series.id, now: now) }
    }
  }

  /// The values of a live tick by series id, also while there is no connection.
  public mutating func take(_ values: [Double], now: Int64) {
    for id in 0..<min(values.count, entities.count) where !values[id].isMissing {
      entities[id].value = values[id]
      entities[id].at = now
      entities[id].dueMilliseconds = nil
      guard !entities[id].isPresent, settings.families[entities[id].family] != nil else { continue }
      entities[id].isPresent = true
      let name = entities[id].part
      parts[name]?.gone[entities[id].gone] = nil
      parts[name]?.change(now: now)
    }
  }

  /// A reload. Other names of the node empty their old topics; what is not in the profile any more is taken away, and so is a
  /// series that gives no value for a while after this. Without families, rules and commands everything is taken away.
  public mutating func configure(_ new: HomeAssistantSettings, now: Int64) {
    let old = settings
    settings = new
    let hasMoved = old.discoveryTopic("") != new.discoveryTopic("")
    if hasMoved { sayFarewell(old) }
    for name in order {
      if hasMoved { parts[name]?.restart(now: now) } else { parts[name]?.change(now: now) }
    }
    putSeriesInQuestion(old, now: now)
    takeAwayRulesAndCommands(old, now: now)
    addRulesAndCommands(now: now)
    stateAt = min(stateAt, now + Int64(new.everyMilliseconds))
  }

  // MARK: Parts

  /// Families are lower-case words; a part with a number and one of a rule or command cannot be mistaken for one.
  private static func part(of family: String, position: Int) -> String {
    let isPlain = family.utf8.count <= 64 && !family.utf8.contains(UInt8(ascii: "-"))
    let level = HomeAssistantNames.level(isPlain ? family : family + "?")
    let number = position / UplinkLimits.homeAssistantSeriesPerPart
    return number == 0 ? level : "\(level)-\(number)"
  }

  private static func part(rule: String) -> String { "alert--\(HomeAssistantNames.level(rule))" }
  private static func part(command: String) -> String { "command--\(HomeAssistantNames.level(command))" }

  private mutating func bury(_ id: Int, now: Int64) {
    entities[id].isPresent = false
    entities[id].value = .missing
    entities[id].dueMilliseconds = nil
    parts[entities[id].part]?.gone[entities[id].gone] = false
    parts[entities[id].part]?.change(now: now)
  }

  private mutating func putSeriesInQuestion(_ old: HomeAssistantSettings, now: Int64) {
    for id in entities.indices {
      let family = entities[id].family
      if let interval = settings.families[family] {
        guard entities[id].isPresent else { continue }
        let due = now + max(UplinkLimits.homeAssistantGraceMilliseconds, Int64(interval) * 5)
        entities[id].dueMilliseconds = due
        stockAt = min(stockAt ?? due, due)
      } else if old.families[family] != nil {
        bury(id, now: now)
      }
    }
  }

  /// Takes away what a reload put in question and what gave no value since.
  mutating func takeStock(now: Int64) {
    guard let at = stockAt, at <= now else { return }
    stockAt = nil
    for id in entities.indices {
      guard let due = entities[id].dueMilliseconds else { continue }
      if due <= now { bury(id, now: now) } else { stockAt = min(stockAt ?? due, due) }
    }
  }

  private mutating func addRulesAndCommands(now: Int64) {
    for rule in settings.rules.prefix(UplinkLimits.alerts) { put(Self.part(rule: rule), .rule(rule), now: now) }
    for command in settings.commands.prefix(UplinkLimits.homeAssistantCommands) {
      put(Self.part(command: command.name), .command(command), now: now)
    }
  }

  private mutating func takeAwayRulesAndCommands(_ old: HomeAssistantSettings, now: Int64) {
    let (rules, commands) = (Set(settings.rules), Set(settings.commands.map(\.name)))
    for rule in old.rules where !rules.contains(rule) {
      takeAway(Self.part(rule: rule), HomeAssistantComponent.gone(rule: rule), now)
    }
    for command in old.commands.map(\.name) where !commands.contains(command) {
      takeAway(Self.part(command: command), HomeAssistantComponent.gone(command: command), now)
    }
  }

  private mutating func put(_ name: String, _ content: HomeAssistantPart.Content, now: Int64) {
    if parts[name] == nil { order.append(name) }
    var part = parts[name] ?? HomeAssistantPart(content)
    part.content = content
    part.gone = [:]
    part.change(now: now)
    parts[name] = part
  }

  private mutating func takeAway(_ name: String, _ gone: HomeAssistantComponent.Gone, _ now: Int64) {
    parts[name]?.content = .nothing
    parts[name]?.gone[gone] = false
    parts[name]?.change(now: now)
  }

  private mutating func sayFarewell(_ old: HomeAssistantSettings) {
    for name in order where farewells.count < UplinkLimits.homeAssistantFarewells {
      guard let part = parts[name], part.isAnnounced else { continue }
      let gone = components(of: part).map { self.gone($0) } + part.gone.keys
      farewells.append(HomeAssistantFarewell(part: name, settings: old, gone: gone.sorted { $0.id < $1.id }))
    }
  }

  private func gone(_ component: Component) -> HomeAssistantComponent.Gone {
    switch component {
    case .series(let id): entities[id].gone
    case .rule(let rule): HomeAssistantComponent.gone(rule: rule)
    case .command(let command): HomeAssistantComponent.gone(command: command.name)
    }
  }

  enum Component {
    case series(Int)
    case rule(String)
    case command(HomeAssistantSettings.Command)
  }

  func components(of part: HomeAssistantPart) -> [Component] {
    switch part.content {
    case .series(let members): members.filter { entities[$0].isPresent }.map { .series($0) }
    case .rule(let rule): [.rule(rule)]
    case .command(let command): [.command(command)]
    case .nothing: []
    }
  }
}
