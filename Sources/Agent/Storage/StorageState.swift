import Buffer
import Glibc
import Platform

/// The storage thread's own: the open file, or the transaction that waits for one.
struct StorageState {
  var settings: StorageThread.Settings
  private(set) var status = StorageStatus()
  private let clock: any Clock
  private var writer: BufferWriter?
  private var pending = BufferTransaction()
  private var notices: [StorageNotice] = []
  /// All series, and the epochs of this run that pending ticks and events need, to tell a fresh file.
  private var series: [StoredSeries] = []
  private var epochs: [Epoch] = []
  private var deliveries: [String: DeliveryPosition] = [:]
  /// The marks of the positions on the disk, by sink.
  private(set) var savedMarks: [String: UInt64] = [:]
  private var notes: [String: String] = [:]
  private var reserved: (sequence: UInt64, event: UInt64) = (0, 0)
  private var translation: SeriesTranslation?
  /// What a file that was opened late says of earlier runs' delivery, for positions that do not know of it yet.
  private var inherited: (positions: [String: DeliveryPosition], lastSequence: UInt64)?
  private var failures = 0
  private var retryAt: Int64 = .min
  private var commits = 0
  /// Whether this run had a file open: it then gave out its ids as that file counts, or translates them.
  private var isKnownFile = false
  /// The first number that a file that was set aside surely had not given out.
  private var unusedSequence: UInt64 = 1
  /// Ticks below this came before the run learned that the file holds such numbers already.
  private var lowest: UInt64 = 0

  init(settings: StorageThread.Settings, clock: any Clock) {
    self.settings = settings
    self.clock = clock
  }

  private var now: Int64 { clock.bootNanoseconds() / 1_000_000 }

  /// Milliseconds after which `write` should be called even if nothing new came.
  var pauseMilliseconds: Int {
    pending.isEmpty && writer != nil ? -1 : Int(max(retryAt == .min ? 1_000 : retryAt - now, 10))
  }

  mutating func takeNotices() -> [StorageNotice] {
    defer { notices = [] }
    return notices
  }

  /// Opens the file at the start, sets a damaged one aside, and reserves numbers ahead of their use.
  mutating func open() -> BufferWriter.Opening? {
    openWriter()
    guard let writer else { return nil }
    var opening = writer.opening
    opening.nextSequence = max(opening.nextSequence, unusedSequence)
    opening.nextEvent = max(opening.nextEvent, unusedSequence)
    notices += opening.unreported.map { .evicted($0) }
    if opening.isDeliveryLost { notices.append(.deliveryLost) }
    series = opening.series
    deliveries = opening.deliveries
    notes = opening.notes
    var reservation = BufferTransaction()
    reservation.reservedSequence = opening.nextSequence + BufferLimits.reservedSequences
    reservation.reservedEvent = opening.nextEvent + BufferLimits.reservedEvents
    reserved = (opening.nextSequence + BufferLimits.reservedSequences, opening.nextEvent + BufferLimits.reservedEvents)
    status.committed = opening.lastSequence ?? 0
    do throws(BufferError) {
      try writer.commit(reservation)
      measure()
      status.state = .ok
    } catch {
      // It can be read, but not written: the numbers are good, the ticks have to wait.
      refuse(error)
    }
    if case .setAside(let path, _) = notices.last { opening.setAside = path }
    return opening
  }

  /// The file opened when nobody waited for it any more: the run gives out numbers of its own, as if it could not be opened. The next
  /// `write` opens it anew and adopts it.
  mutating func arriveLate() {
    writer = nil
    isKnownFile = false
    (series, deliveries, notes, reserved) = ([], [:], [:], (0, 0))
    let problem = "opening \(settings.path) took longer than the agent waits"
    status = StorageStatus(state: .memoryOnly, problem: problem)
    notices.append(.trouble(problem))
  }

  mutating func add(_ transaction: BufferTransaction) {
    series += transaction.series
    for epoch in transaction.epochs {
      if let known = epochs.firstIndex(where: { $0.id == epoch.id }) { epochs[known] = epoch } else { epochs.append(epoch) }
    }
    // An earlier one that was corrected comes back behind those after it.
    if !transaction.epochs.isEmpty { epochs.sort { $0.id < $1.id } }
    deliveries.merge(transaction.deliveries) { $1.mark >= $0.mark ? $1 : $0 }
    notes.merge(transaction.notes) { $1 }
    reserved.sequence = max(reserved.sequence, transaction.reservedSequence ?? 0)
    reserved.event = max(reserved.event, transaction.reservedEvent ?? 0)
    pending.append(transaction)
    dropOutnumbered()
    if let dropped = pending.dropOldest(toWeight: settings.pendingBytes) { notices.append(.dropped(dropped)) }
    status.pendingTicks = pending.ticks.count
  }

  /// Commits what waits, unless the disk refused a moment ago.
  mutating func write() {
    // A file is adopted with what was handed over before it, so with something.
    guard !pending.isEmpty || (writer == nil && isKnownFile), now >= retryAt else { return }
    if writer == nil { openWriter() }
    guard let writer else { return }
    do throws(BufferError) {
      // What went into a deleted file would be lost, with each commit more.
      try writer.checkFile()
      pending.deliveries = completed(pending.deliveries)
      try writer.commit(translation?.translate(pending) ?? pending)
    } catch {
      return refuse(error)
    }
    if let last = pending.ticks.last { advance(to: last) }
    for (sink, position) in pending.deliveries { savedMarks[sink] = position.mark }
    pending = BufferTransaction()
    // A fresh file holds nothing that needs the earlier ones.
    epochs.removeFirst(max(epochs.count - 1, 0))
    status.pendingTicks = 0
    if status.state != .ok {
      if status.problem != nil { notices.append(.recovered) }
      status.state = .ok
      status.problem = nil
    }
    failures = 0
    retryAt = .min
    commits += 1
    if commits % AgentLimits.commitsPerRetention == 1 {
      makeRoom(writer)
      measure()
    }
    measureBytes()
  }

  /// The end of what is on the disk moves on; its beginning moves only when room is made.
  private mutating func advance(to last: EncodedTick) {
    status.committed = last.sequence
    guard let extent = status.extent, last.sequence >= extent.sequences.lowerBound else { return }
    status.extent?.sequences = extent.sequences.lowerBound...last.sequence
    status.extent?.lastWallMilliseconds = epochs.last { $0.id == last.epoch }.map { last.milliseconds + $0.offsetMilliseconds }
  }

  /// The last commit, and the log copied back so that the file is whole by itself.
  mutating func finish() {
    retryAt = .min
    write()
    if let writer, status.state == .ok { try? writer.checkpoint() }
    writer = nil
  }

  /// Seals, then evicts; each goes on when the other cannot.
  private mutating func makeRoom(_ writer: BufferWriter) {
    let synced = epochs.last?.synced ?? false
    var failure: BufferError?
    do throws(BufferError) {
      for sealing in try writer.seal() where sealing.damaged > 0 {
        let owed = deliveries.values.map { $0.undelivered(of: sealing.range).reduce(0) { $0 + UInt64($1.count) } }.max() ?? 0
        notices.append(.unsealable(sealing.range, damaged: UInt64(sealing.damaged), undelivered: owed))
      }
    } catch {
      failure = error
    }
    do throws(BufferError) {
      let evictions = try writer.makeRoom(
        settings.policy, now: synced ? clock.wallMilliseconds() : nil, boot: clock.boot, bootNow: now)
      notices += evictions.map { .evicted($0) }
      writer.releaseMemory()
    } catch {
      failure = failure ?? error
    }
    if let failure { refuse(failure) }
  }

  private mutating func refuse(_ error: BufferError) {
    if error.kind == .corrupt { return replace(error) }
    if error.kind == .cannotOpen || error.kind == .io || error.kind == .readOnly { writer = nil }
    if status.problem != error.description { notices.append(.trouble(error.description)) }
    status.state = .memoryOnly
    status.problem = error.description
    let bounds = AgentLimits.storageRetryMilliseconds
    retryAt = now + Int64(min(bounds.upperBound, bounds.lowerBound << min(failures, 10)))
    failures += 1
  }

  /// Moves a damaged file away and starts a fresh one with all that this run knows.
  private mutating func replace(_ error: BufferError) {
    writer = nil
    do throws(BufferError) {
      let path = try Quarantine.setAside(path: settings.path, wallMilliseconds: clock.wallMilliseconds())
      notices.append(.setAside(path: path, reason: error.description))
      translation = nil
      unusedSequence = Quarantine.unusedSequence(setAside: path, wallMilliseconds: clock.wallMilliseconds())
      // Rows whose key row went away with the file cannot be read: the next group begins anew by itself.
      if let dropped = pending.dropHeadless() { notices.append(.dropped(dropped)) }
      let fresh = try BufferWriter(path: settings.path, node: settings.node, policy: settings.policy)
      try fresh.commit(everythingKnown())
      writer = fresh
      isKnownFile = true
      status.state = .ok
    } catch {
      status.state = .memoryOnly
      status.problem = error.description
      notices.append(.trouble(error.description))
      retryAt = now + Int64(AgentLimits.storageRetryMilliseconds.upperBound)
    }
  }

  private func everythingKnown() -> BufferTransaction {
    var all = BufferTransaction()
    all.series = series
    all.epochs = epochs
    all.deliveries = completed(deliveries)
    all.notes = notes
    all.reservedSequence = reserved.sequence
    all.reservedEvent = reserved.event
    return all
  }

  private mutating func openWriter() {
    do throws(BufferError) {
      let opened = try BufferWriter(path: settings.path, node: settings.node, policy: settings.policy)
      // Not before it took over: ids of this run mean something else in it until then.
      if status.problem != nil { try adopt(opened) }
      writer = opened
      isKnownFile = true
    } catch {
      refuse(error)
    }
  }

  /// A file that could be opened only now: it may know other series and epochs under the ids this run gave out.
  private mutating func adopt(_ opened: BufferWriter) throws(BufferError) {
    // The run's own file, after the disk refused for a while, numbers as before.
    if isKnownFile {
      let known = everythingKnown()
      return try opened.commit(translation?.translate(known) ?? known)
    }
    let translation = SeriesTranslation(run: series, file: opened.opening.series, firstEpoch: opened.opening.lastEpoch + 1)
    if inherited == nil, let last = opened.opening.lastSequence {
      inherited = (opened.opening.deliveries, last)
      notices.append(.inherited(opened.opening.deliveries, lastSequence: last))
    }
    var all = everythingKnown()
    rise(to: opened.opening)
    // As at a start in time: what this run has given out, and has published before it is committed, is not given out again.
    let lastTick = max(pending.ticks.last?.sequence ?? 0, opened.opening.nextSequence)
    let lastEvent = max(pending.events.last?.id ?? 0, opened.opening.nextEvent)
    all.reservedSequence = max(reserved.sequence, lastTick + BufferLimits.reservedSequences)
    all.reservedEvent = max(reserved.event, lastEvent + BufferLimits.reservedEvents)
    self.translation = translation.isIdentity ? nil : translation
    try opened.commit(self.translation?.translate(all) ?? all)
  }

  /// Without a buffer and without a wall clock a run may have begun below the file's numbers: it goes on above them. Its ticks up to
  /// then have no place among the file's.
  private mutating func rise(to opening: BufferWriter.Opening) {
    guard let first = pending.ticks.first?.sequence ?? pending.epochs.first?.firstSequence, first < opening.nextSequence else {
      return
    }
    lowest = opening.nextSequence
    for index in pending.events.indices { pending.events[index].id = opening.nextEvent + UInt64(index) }
    notices.append(.outnumbered(sequence: lowest, event: opening.nextEvent + UInt64(pending.events.count)))
    dropOutnumbered()
  }

  private mutating func dropOutnumbered() {
    guard let first = pending.ticks.first?.sequence, first < lowest else { return }
    let count = pending.ticks.firstIndex { $0.sequence >= lowest && $0.back == 0 } ?? pending.ticks.count
    notices.append(.dropped(first...pending.ticks[count - 1].sequence))
    pending.ticks.removeFirst(count)
  }

  /// Positions made before the file could be read must not forget what it says is owed.
  private func completed(_ deliveries: [String: DeliveryPosition]) -> [String: DeliveryPosition] {
    guard let inherited else { return deliveries }
    return Dictionary(
      uniqueKeysWithValues: deliveries.map { sink, position in
        (sink, position.completed(by: inherited.positions[sink] ?? DeliveryPosition(), lastSequence: inherited.lastSequence))
      })
  }

  private mutating func measure() {
    status.extent = try? writer?.wallExtent()
    measureBytes()
  }

  private mutating func measureBytes() {
    status.bytes = ["", "-wal", "-shm"].reduce(0) { total, suffix in
      var information = stat()
      return stat(settings.path + suffix, &information) == 0 ? total + UInt64(clamping: information.st_size) : total
    }
  }
}
