public import Buffer
public import Platform
import Synchronization

/// A tick on its way to the broker.
public struct LiveTick: Sendable {
  /// Its number.
  public var sequence: UInt64
  /// Unix milliseconds, as known when it was taken.
  public var wallMilliseconds: Int64
  /// Whether the wall clock was synchronised.
  public var synced: Bool
  /// The values by series id.
  public var values: [Double]

  /// Describes a tick.
  public init(sequence: UInt64, wallMilliseconds: Int64, synced: Bool, values: [Double]) {
    self.sequence = sequence
    self.wallMilliseconds = wallMilliseconds
    self.synced = synced
    self.values = values
  }
}

/// What the agent hands to the uplink.
public enum UplinkInput: Sendable {
  /// Series named since the last time; ids follow on.
  case series([StoredSeries])
  /// A new tick.
  case tick(LiveTick)
  /// The state of a rule, as the JSON of its retained topic.
  case alert(rule: String, json: [UInt8])
  /// A rule that exists no more: its retained topic is emptied.
  case alertRemoved(rule: String)
  /// The buffer could only be opened now: how far an earlier run was, by sink, and its last tick.
  case inherited([String: DeliveryPosition], lastCommitted: UInt64)
  /// Something that happened, as JSON.
  case event(id: UInt64, json: [UInt8])
  /// Who the node is, as the JSON of its retained topic.
  case info([UInt8])
  /// Other settings: the connection is built anew with them.
  case settings(UplinkSettings)
  /// What became of a command.
  case command(CommandAnswer)
}

/// What the uplink says of itself.
public struct UplinkStatus: Sendable, Equatable {
  /// Where a connection is in its life.
  public enum State: String, Sendable {
    case connecting
    case connected
    case waiting
    case stopped
  }

  /// Where the connection is in its life.
  public var state = State.connecting
  /// The broker.
  public var broker = ""
  /// CLOCK_BOOTTIME nanoseconds since when.
  public var sinceNanoseconds: Int64 = 0
  /// Attempts since the last connection that held.
  public var attempts = 0
  /// Connections accepted since the start.
  public var connections = 0
  /// What went wrong last; nil when nothing did.
  public var lastError: String?
  /// What makes the link less safe than it looks; nil when nothing does.
  public var warning: String?
  /// Ticks acknowledged since the start.
  public var deliveredTicks: UInt64 = 0
  /// Ticks owed, in flight included.
  public var owedTicks: UInt64 = 0
  /// Ticks owed that exist no more, or that the broker refused.
  public var lostTicks: UInt64 = 0
  /// Columns of damaged blocks whose values are lacking in backlog messages sent since the start; each says so itself.
  public var damagedColumns: UInt64 = 0
  /// Bytes of payload sent since the start.
  public var sentBytes: UInt64 = 0
  /// The last message's time from sending to acknowledgement, milliseconds.
  public var roundTripMilliseconds: Double?
  /// What a restart has to know, by sink.
  public var positions: [String: DeliveryPosition] = [:]
  /// Each payload that carries ticks.
  public var payloads: [PayloadStatus] = []
  /// Messages that the broker refused since the start.
  public var refusals: UInt64 = 0
  /// Why it refused the last of them; nil once it took a tick again.
  public var refusal: String?

  /// What tells a node's connections apart.
  public var name: String { payloads.contains { $0.payload == .sparkplug } ? "sparkplug" : "mqtt" }

  /// Nothing happened yet.
  public init() {}
}

/// Delivers ticks, alerts and events to a broker, on a thread of its own.
public final class Uplink: Sendable {
  let mailbox = Mailbox<UplinkInput>(capacity: UplinkLimits.mailbox + UplinkLimits.mailboxReserve)
  /// What the agent is told of commands, for it to take out.
  public let notices = Mailbox<CommandNotice>(capacity: UplinkLimits.Commands.notices)
  let stopping = Atomic<Bool>(false)
  let stopped = Atomic<Bool>(false)
  private let shared = Mutex(UplinkStatus())
  private let committedSequence = Atomic<UInt64>(0)
  private let savedMark = Atomic<UInt64>(0)
  /// The sink whose mark stands for all of this connection's.
  private let sink = Mutex(UplinkSettings.eventSink)
  /// Puts positions on the disk soon; false when that cannot be now.
  private let saver = Mutex<(@Sendable ([String: DeliveryPosition]) -> Bool)?>(nil)

  /// An uplink that is not started.
  public init() {}

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - buffer: the path of the buffer, for the backlog.
  ///   - positions: how far the last run was, by sink.
  ///   - lastCommitted: the last tick in the buffer; nil when it is empty.
  ///   - firstOfRun: the first tick that this run will take.
  ///   - firstEvent: the first event id that this run will give out.
  ///   - remembered: the last `CommandNotice.remember` of an earlier run; empty when there was none.
  /// - Returns: false when the kernel gives no thread.
  public func start(
    settings: UplinkSettings, clock: any Clock, buffer: String, positions: [String: DeliveryPosition], lastCommitted: UInt64?,
    firstOfRun: UInt64, firstEvent: UInt64, remembered: String = ""
  ) -> Bool {
    committedSequence.store(lastCommitted ?? 0, ordering: .relaxed)
    let ledgers = settings.payloads.map { payload in
      DeliveryLedger(position: positions[payload.sink], lastCommitted: lastCommitted, firstOfRun: firstOfRun)
    }
    sink.withLock { $0 = settings.eventSink }
    let event = positions[settings.eventSink]?.event ?? 0
    let outbox = Outbox(deliveredEvent: event, nextEvent: firstEvent)
    shared.withLock {
      $0.positions = UplinkSession.positions(
        of: zip(settings.payloads, ledgers), eventSink: settings.eventSink, event: event, next: firstOfRun)
      $0.owedTicks = ledgers.map(\.owedTicks).max() ?? 0
      $0.payloads = zip(settings.payloads, ledgers).map { PayloadStatus($0, $1, owed: $1.owed, damagedColumns: 0) }
    }
    return Thread.start(name: "uplink") { [self] in
      let session = UplinkSession(
        uplink: self, settings: settings, clock: clock, buffer: buffer,
        feeds: zip(settings.payloads, ledgers).map { TickFeed($0, ledger: $1) }, outbox: outbox,
        remembered: remembered)
      session.run()
      stopped.store(true, ordering: .releasing)
    }
  }

  /// Hands something over; false when the uplink is so far behind that there is no room. A tick that is refused will be owed.
  public func put(_ input: UplinkInput) -> Bool {
    if case .tick = input, mailbox.count >= UplinkLimits.mailbox { return false }
    return mailbox.put(input)
  }

  /// The last tick on the disk: the backlog is read up to it.
  public var committed: UInt64 {
    get { committedSequence.load(ordering: .relaxed) }
    set { committedSequence.store(newValue, ordering: .relaxed) }
  }

  /// Says how positions get to the disk between two commits. A drain asks for it, so that a restart repeats one window at most.
  public func saves(by save: @escaping @Sendable ([String: DeliveryPosition]) -> Bool) { saver.withLock { $0 = save } }

  /// Marks of the positions on the disk, by sink.
  public func saved(_ marks: [String: UInt64]) {
    guard let mark = sink.withLock({ marks[$0] }), mark > saved else { return }
    savedMark.store(mark, ordering: .relaxed)
    mailbox.bell.ring()
  }

  var saved: UInt64 { savedMark.load(ordering: .relaxed) }

  func save(_ positions: [String: DeliveryPosition]) -> Bool { saver.withLock { $0 }?(positions) ?? false }

  /// What the uplink says of itself.
  public var status: UplinkStatus { shared.withLock { $0 } }

  /// Whether it said goodbye after `stop`.
  var hasStopped: Bool { stopped.load(ordering: .acquiring) }

  func publish(_ change: (inout UplinkStatus) -> Void) {
    shared.withLock { change(&$0) }
  }

  /// Asks for a goodbye: `offline`, then a clean disconnect. Waits for it at most `milliseconds`.
  public func stop(waitMilliseconds: Int) {
    stopping.store(true, ordering: .releasing)
    mailbox.bell.ring()
    var waited = 0
    while !stopped.load(ordering: .acquiring), waited < waitMilliseconds {
      Thread.sleep(milliseconds: 5)
      waited += 5
    }
  }
}
