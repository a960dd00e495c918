/// What is to be sent besides ticks: the newest state of each rule, events in order, who the node is.
struct Outbox {
  struct Alert {
    let rule: String
    let generation: Int
    let json: [UInt8]
  }

  private struct Slot {
    var json: [UInt8]
    var generation: Int
    /// The generation that was sent or acknowledged last on this connection; −1 when none.
    var sent = -1
  }

  private var alerts: [String: Slot] = [:]
  private var dirtyAlerts: [String] = []
  private var events: [(id: UInt64, json: [UInt8])] = []
  private var eventsInFlight: Set<UInt64> = []
  private var eventsAcknowledged: Set<UInt64> = []
  private var info: Slot?
  /// The highest event id that was handed out for sending on this connection.
  private(set) var lastEventTaken: UInt64
  /// All events up to this one were acknowledged.
  private(set) var deliveredEvent: UInt64
  /// Counts its changes. The number itself falls when an earlier run's is inherited late.
  private(set) var changes: UInt64 = 0
  /// The id that the next event will have.
  private var nextEvent: UInt64

  /// `nextEvent` is the first id of this run: all below it are in the buffer only.
  init(deliveredEvent: UInt64, nextEvent: UInt64) {
    self.deliveredEvent = deliveredEvent
    self.nextEvent = nextEvent
    lastEventTaken = deliveredEvent
  }

  /// A new connection: retained states are sent anew, and events that were not acknowledged.
  mutating func connected() {
    dirtyAlerts = alerts.keys.sorted()
    info?.sent = -1
    lastEventTaken = deliveredEvent
    eventsInFlight = []
    eventsAcknowledged = []
  }

  // MARK: Alerts

  mutating func put(alert json: [UInt8], rule: String) {
    guard alerts[rule] != nil || alerts.count < UplinkLimits.alerts else { return }
    alerts[rule] = Slot(json: json, generation: (alerts[rule]?.generation ?? 0) + 1)
    if !dirtyAlerts.contains(rule) { dirtyAlerts.append(rule) }
  }

  mutating func takeAlert() -> Alert? {
    guard !dirtyAlerts.isEmpty else { return nil }
    let rule = dirtyAlerts.removeFirst()
    guard let slot = alerts[rule] else { return takeAlert() }
    return Alert(rule: rule, generation: slot.generation, json: slot.json)
  }

  mutating func acknowledge(alert rule: String, generation: Int) {
    // A rule that was taken away leaves once its retained message was emptied.
    if let slot = alerts[rule], slot.json.isEmpty, slot.generation == generation { alerts[rule] = nil }
  }

  // MARK: Events

  /// The buffer could only be opened now: events after `event` that an earlier run left in it are sent, too.
  mutating func inherit(event: UInt64) {
    changes += 1
    deliveredEvent = min(deliveredEvent, event)
    lastEventTaken = min(lastEventTaken, event)
  }

  mutating func put(event json: [UInt8], id: UInt64) {
    nextEvent = max(nextEvent, id + 1)
    // One that had no room before this one is read from the buffer, and so must be all before it.
    if let last = events.last, id > last.id + 1 { events.removeAll() }
    events.append((id, json))
    if events.count > UplinkLimits.eventsInMemory { events.removeFirst() }
  }

  /// Ids below this that were not handed out yet have to be read from the buffer; nil when memory has all there are.
  var olderEventsBelow: UInt64? {
    let covered = events.first?.id ?? nextEvent
    return lastEventTaken + 1 < covered ? covered : nil
  }

  /// The buffer has no more events below `id`.
  mutating func skipEvents(below id: UInt64) { lastEventTaken = max(lastEventTaken, id - 1) }

  /// The next event in memory.
  mutating func takeEvent() -> (id: UInt64, json: [UInt8])? {
    guard let next = events.first(where: { $0.id > lastEventTaken }) else { return nil }
    taken(next.id)
    return next
  }

  mutating func taken(_ id: UInt64) {
    lastEventTaken = id
    eventsInFlight.insert(id)
  }

  mutating func acknowledge(event id: UInt64) {
    guard eventsInFlight.remove(id) != nil else { return }
    changes += 1
    eventsAcknowledged.insert(id)
    let bound = eventsInFlight.min() ?? .max
    for done in eventsAcknowledged.sorted() where done < bound {
      deliveredEvent = max(deliveredEvent, done)
      eventsAcknowledged.remove(done)
    }
    events.removeAll { $0.id <= deliveredEvent }
  }

  // MARK: Identity

  mutating func put(info json: [UInt8]) {
    info = Slot(json: json, generation: (info?.generation ?? 0) + 1)
  }

  mutating func takeInfo() -> (json: [UInt8], generation: Int)? {
    guard let slot = info, slot.sent != slot.generation else { return nil }
    info?.sent = slot.generation
    return (slot.json, slot.generation)
  }

  /// A message could not be sent or was not acknowledged before the connection broke.
  mutating func lose(_ cargo: UplinkSession.Cargo) {
    switch cargo {
    case .alert(let rule, _): if alerts[rule] != nil, !dirtyAlerts.contains(rule) { dirtyAlerts.append(rule) }
    case .info: info?.sent = -1
    case .event(let id):
      eventsInFlight.remove(id)
      lastEventTaken = min(lastEventTaken, id - 1)
    default: break
    }
  }
}
