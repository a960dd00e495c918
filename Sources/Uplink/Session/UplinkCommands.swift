import Buffer
import Platform
import Telemetry

extension UplinkSession {
  private var commandMoment: CommandMoment { CommandMoment(clock) }

  /// Asks for commands, at each connection. The broker may still keep a subscription of an earlier profile: it is taken back.
  func subscribeToCommands() {
    guard let client else { return }
    do throws(MQTTError) {
      if settings.commands.isEmpty {
        _ = try client.unsubscribe(topic: settings.topic("cmd/+"))
      } else {
        commandSubscription = try client.subscribe(topic: settings.topic("cmd/+"), quality: 1)
      }
    } catch {
      retreat(error.description)
    }
  }

  /// The broker answered a subscription.
  func noteSubscription(_ message: Int32, isGranted: Bool) {
    guard message == commandSubscription, !isGranted else { return }
    refusal = "the broker refuses the subscription to commands"
    uplink.publish { $0.lastError = refusal }
  }

  /// Takes a message if it is of a topic below `cmd/`.
  func takeCommand(topic: String, payload: [UInt8], isRetained: Bool) {
    let prefix = settings.topic("cmd/")
    guard topic.hasPrefix(prefix) else { return }
    let id = String(topic.dropFirst(prefix.count))
    let mayBeOld = now - connectedAt < UplinkLimits.Commands.settledSeconds * 1_000
    desk.receive(payload, id: id, CommandDesk.Arrival(isRetained: isRetained, mayBeOld: mayBeOld), at: commandMoment)
    handNotices()
  }

  /// The agent tells how far a command is.
  func follow(_ answer: CommandAnswer) {
    desk.answer(answer, at: commandMoment)
    // Somebody cares: what was put off is tried at once.
    drainNotBefore = 0
    handNotices()
  }

  /// Runs what is the uplink's own to do and sends what there is to say.
  ///
  /// - Returns: milliseconds after which there may be more to do by itself.
  func tendCommands() -> Int64 {
    var wait = Int64.max
    if desk.isWaiting { wait = desk.lookAfter(commandMoment) ?? .max }
    while let errand = desk.takeErrand() { run(errand) }
    wait = min(wait, sendChunks())
    while isConnected, flights.count < window, let status = desk.takeStatus() {
      send(.status(status), to: settings.topic("cmd/\(status.id)/status"), status.json, retain: status.isRetained)
    }
    handNotices()
    return wait
  }

  private func handNotices() { desk.hand { uplink.notices.put($0) } }

  private func run(_ request: CommandRequest) {
    desk.answer(CommandAnswer(id: request.id, .executing), at: commandMoment)
    do throws(CommandFault) {
      if request.name == .exportBundle {
        guard bundle == nil else { throw CommandFault("another bundle is under way") }
        bundle = try TickBundle(request, buffer: source.path)
      } else {
        desk.answer(CommandAnswer(id: request.id, .successful(try resend(request))), at: commandMoment)
      }
    } catch {
      desk.answer(CommandAnswer(id: request.id, .failed(error.reason)), at: commandMoment)
    }
  }

  /// Stored ticks are owed again, on the account of each payload or of one.
  private func resend(_ request: CommandRequest) throws(CommandFault) -> [UInt8] {
    let range = try CommandRange(request.arguments)
    let payload = request.arguments["payload"]
    let wanted = feeds.indices.filter { payload == nil || payload == .string(feeds[$0].payload.rawValue) }
    guard !wanted.isEmpty else { throw CommandFault("the profile has no such payload") }
    let reader: BufferReader
    do throws(BufferError) { reader = try source.open() } catch {
      source.close()
      throw CommandFault("the buffer cannot be read: \(error)")
    }
    let ranges = try range.stored(in: reader)
    for index in wanted { for range in ranges { feeds[index].ledger.owe(again: range) } }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("first", ranges[0].lowerBound)
    writer.member("last", ranges[ranges.count - 1].upperBound)
    writer.key("payloads")
    writer.beginArray()
    for index in wanted { writer.string(feeds[index].payload.rawValue) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  // MARK: The bundle

  /// Sends chunks beside all else, at the pace of the backlog.
  private func sendChunks() -> Int64 {
    guard let bundle else { return .max }
    do throws(CommandFault) {
      while isConnected, flights.count < window, bundle.inFlight < UplinkLimits.Commands.chunksInFlight {
        let wait = bucket.wait(milliseconds: now)
        if wait > 0 { return Int64(wait) }
        // Topic and the overshoot of the last line take some of a packet, too.
        let most = min(UplinkLimits.Commands.chunkBytes, limits.packetBytes / 2)
        guard let chunk = try bundle.next(bytes: most) else { break }
        bucket.take(chunk.bytes.count)
        send(.chunk(chunk, of: bundle), to: settings.topic("cmd/\(bundle.id)/data/\(chunk.number)"), chunk.bytes, retain: false)
      }
    } catch {
      endBundle(.failed(error.reason))
    }
    if bundle.isDone { endBundle(.successful(bundle.result)) }
    return .max
  }

  private func endBundle(_ outcome: CommandAnswer.Outcome) {
    guard let id = bundle?.id else { return }
    bundle = nil
    desk.answer(CommandAnswer(id: id, outcome), at: commandMoment)
  }

  // MARK: What became of messages

  /// The broker has a message of a command.
  func accept(command cargo: Cargo) {
    if case .chunk(_, let bundle) = cargo { bundle.acknowledge() }
  }

  /// The broker will not take a message of a command.
  func giveUp(command cargo: Cargo) {
    guard case .chunk(_, let refused) = cargo, refused === bundle else { return }
    endBundle(.failed("the broker does not take the chunks"))
  }

  /// A message of a command did not arrive.
  func lose(command cargo: Cargo) {
    switch cargo {
    case .status(let status): desk.lose(status)
    case .chunk(let chunk, let bundle): bundle.lose(chunk)
    default: break
    }
  }
}
