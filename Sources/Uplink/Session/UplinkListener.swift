import Platform

/// A client that only listens: connects, subscribes, and hands out what comes. Its session leaves nothing at the broker. One thread.
public final class UplinkListener {
  /// A message that came.
  public struct Message: Sendable {
    /// Where it was published.
    public var topic: String
    /// Its bytes.
    public var payload: [UInt8]
    /// Whether it lay at the broker before we subscribed.
    public var isRetained: Bool
    /// Whether it is longer than was asked for; then `payload` is only its beginning.
    public var isCut: Bool

    /// Describes a message.
    public init(topic: String, payload: [UInt8], isRetained: Bool = false, isCut: Bool = false) {
      (self.topic, self.payload, self.isRetained, self.isCut) = (topic, payload, isRetained, isCut)
    }
  }

  /// Why nothing comes, for people.
  public struct Failure: Error, CustomStringConvertible {
    /// One line.
    public let description: String
  }

  /// The broker as people know it.
  public let address: String
  /// Filters that the broker refused.
  public private(set) var refused: [String] = []
  private let client: MQTTClient
  private let mostBytes: Int
  private var asked: [Int32: String] = [:]
  private var messages: [Message] = []
  private var isConnected = false

  /// Connects and subscribes. Blocks until the broker answered, `UplinkLimits.connectSeconds` at most for each of the two.
  ///
  /// - Parameters:
  ///   - settings: version, client id, user and TLS; its brokers are not looked at.
  ///   - filters: what to subscribe to, QoS 1.
  ///   - mostBytes: what a message may have.
  ///   - isWanted: asked while it waits; false gives up.
  /// - Throws: also when the broker refuses every filter.
  public init(
    _ settings: UplinkSettings, broker: UplinkSettings.Broker, filters: [String], mostBytes: Int = UplinkLimits.listenedBytes,
    while isWanted: () -> Bool = { true }
  ) throws(Failure) {
    var settings = settings
    settings.sessionExpirySeconds = 0
    address = broker.address
    self.mostBytes = mostBytes
    do throws(MQTTError) {
      client = try MQTTClient(
        settings, broker: broker, wallMilliseconds: SystemClock().wallMilliseconds(), isClean: true, incomingBytes: mostBytes)
      try client.connect()
    } catch {
      throw Failure(description: "\(error)")
    }
    try wait("did not accept the connection", while: isWanted) { isConnected }
    do throws(MQTTError) {
      for filter in filters { asked[try client.subscribe(topic: filter, quality: 1)] = filter }
    } catch {
      throw Failure(description: "\(address): \(error)")
    }
    try wait("did not answer the subscription", while: isWanted) { asked.isEmpty }
    if !filters.isEmpty, refused.count == filters.count {
      throw Failure(description: "\(address): the broker refuses to let us read \(filters.joined(separator: ", "))")
    }
  }

  /// Says goodbye.
  public func close() { client.disconnect() }

  /// What came; waits for it at most `milliseconds`, or until a signal comes.
  ///
  /// - Throws: once the connection is gone and all that had come was handed out.
  public func take(waitMilliseconds milliseconds: Int) throws(Failure) -> [Message] {
    if messages.isEmpty { try serve(milliseconds) }
    defer { messages = [] }
    return messages
  }

  private func wait(_ what: String, while isWanted: () -> Bool, until holds: () -> Bool) throws(Failure) {
    let deadline = SystemClock.bootMilliseconds + Int64(UplinkLimits.connectSeconds) * 1000
    while !holds() {
      let left = deadline - SystemClock.bootMilliseconds
      guard left > 0 else { throw Failure(description: "\(address): the broker \(what) within \(UplinkLimits.connectSeconds) s") }
      guard isWanted() else { throw Failure(description: "\(address): given up") }
      try serve(Int(min(left, 200)))
    }
  }

  private func serve(_ milliseconds: Int) throws(Failure) {
    let interest: Poll.Ready = client.wantsToWrite ? [.readable, .writable] : .readable
    let ready = Poll.wait([(client.descriptor, interest)], milliseconds: client.hasEvents ? 0 : milliseconds)[0]
    client.serve(
      readable: !ready.intersection(.readable).isEmpty, writable: !ready.intersection(.writable).isEmpty)
    for event in client.takeEvents() { try handle(event) }
  }

  private func why(_ reason: Int32) -> String {
    let clock = SystemClock()
    if let problem = client.certificateProblem {
      return problem.meaning(
        now: clock.wallMilliseconds(), synced: clock.isSynchronized(), authorities: client.settings.tls.caFile)
    }
    let what = isConnected ? "the connection was lost" : "the broker closed the connection before accepting it"
    return what + client.meaning(disconnectReason: reason) + (client.tlsComplaint.map { " (\($0))" } ?? "")
  }

  private func handle(_ event: MQTTEvent) throws(Failure) {
    switch event {
    case .connected(let reason, _) where reason == 0: isConnected = true
    case .connected(let reason, _):
      throw Failure(
        description: "\(address): the broker refuses the connection: \(client.meaning(connectReason: reason))")
    case .disconnected(let reason):
      throw Failure(description: "\(address): \(why(reason))")
    case .subscribed(let message, let isGranted):
      if let filter = asked.removeValue(forKey: message), !isGranted { refused.append(filter) }
    case .message(let topic, let payload, let retained):
      let isCut = payload.count > mostBytes
      messages.append(
        Message(topic: topic, payload: isCut ? Array(payload.prefix(mostBytes)) : payload, isRetained: retained, isCut: isCut))
    case .acknowledged, .unsubscribed: break
    }
  }
}
