import CMosquitto
import Glibc

/// Why a connection could not be begun.
struct MQTTError: Error, Hashable, CustomStringConvertible {
  let operation: String
  let text: String
  /// Whether the message itself cannot be sent, on whatever connection: too large for the broker, or an impossible topic.
  var isForGood = false

  var description: String { "cannot \(operation): \(text)" }
}

/// One connection by libmosquitto, served by one thread that polls its socket. Thrown away when it breaks: what was under way then
/// is owed again, so nothing of the library's own queue survives to be sent twice.
final class MQTTClient {
  let settings: UplinkSettings
  let broker: UplinkSettings.Broker
  // libmosquitto's handle, destroyed in deinit.
  let handle: OpaquePointer
  let box: MQTTEventBox
  /// The numbers that stand for topics on this connection.
  private var aliases: [String: UInt16] = [:]
  /// How many there may be: what the broker said when it accepted us.
  var topicAliases = 0

  /// - Parameters:
  ///   - wallMilliseconds: the time by which certificates are judged.
  ///   - isClean: whether the broker forgets what it held for an earlier connection.
  ///   - incomingBytes: what a message from the broker may have; of a longer one a byte more is given out.
  init(
    _ settings: UplinkSettings, broker: UplinkSettings.Broker, wallMilliseconds: Int64, isClean: Bool? = nil,
    incomingBytes: Int = UplinkLimits.incomingBytes
  ) throws(MQTTError) {
    _ = libraryIsReady
    self.settings = settings
    self.broker = broker
    box = MQTTEventBox(incomingBytes: incomingBytes)
    // The library hands this pointer back to the callbacks below, all on the thread that calls into it.
    let isClean = isClean ?? (settings.sparkplug != nil)
    guard let made = mosquitto_new(settings.clientID, isClean, Unmanaged.passUnretained(box).toOpaque()) else {
      throw MQTTError(operation: "make a client", text: String(cString: strerror(errno)))
    }
    handle = made
    mosquitto_int_option(
      made, MOSQ_OPT_PROTOCOL_VERSION, Int32(settings.isVersion5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311))
    mosquitto_int_option(made, MOSQ_OPT_TCP_NODELAY, 1)
    mosquitto_int_option(made, MOSQ_OPT_SEND_MAXIMUM, Int32(clamping: settings.window + 8))
    mosquitto_connect_v5_callback_set(made, onConnect)
    mosquitto_disconnect_v5_callback_set(made, onDisconnect)
    mosquitto_publish_v5_callback_set(made, onPublish)
    mosquitto_subscribe_v5_callback_set(made, onSubscribe)
    mosquitto_unsubscribe_callback_set(made, onUnsubscribe)
    mosquitto_message_v5_callback_set(made, onMessage)
    try authenticate()
    if broker.transport == .tls { try secure(now: wallMilliseconds) }
  }

  deinit { mosquitto_destroy(handle) }

  /// For poll(2); −1 when there is no connection.
  var descriptor: Int32 { mosquitto_socket(handle) }
  /// Whether something waits to be written.
  var wantsToWrite: Bool { mosquitto_want_write(handle) }

  /// Sets what the broker says of us when we vanish.
  func setWill(topic: String, payload: [UInt8], quality: Int, retain: Bool) throws(MQTTError) {
    try check(
      "set the will", mosquitto_will_set(handle, topic, Int32(payload.count), payload, Int32(quality), retain))
  }

  /// Begins the connection and asks for acceptance. Blocks while the name is looked up; an address that does not answer blocks nobody.
  func connect() throws(MQTTError) {
    var properties: OpaquePointer?
    if settings.isVersion5 {
      // The broker keeps subscriptions, and commands that come while we are away, for so long.
      mosquitto_property_add_int32(
        &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue), UInt32(clamping: settings.sessionExpirySeconds))
    }
    defer { mosquitto_property_free_all(&properties) }
    let port = broker.transport == .unixSocket ? 0 : broker.port
    // Only the blocking call takes properties: it keeps them, then refuses for want of a host; the other one sends them.
    if settings.isVersion5 {
      mosquitto_connect_bind_v5(handle, nil, Int32(port), Int32(settings.keepAliveSeconds), nil, properties)
    }
    try check(
      "connect to \(broker.address)",
      mosquitto_connect_bind_async(handle, broker.host, Int32(port), Int32(settings.keepAliveSeconds), nil))
  }

  /// Sends a message. Call it only while connected: the library would queue it otherwise and send it twice.
  ///
  /// - Parameters:
  ///   - expirySeconds: after which the broker drops it undelivered (MQTT 5); nil: never.
  ///   - isFrequent: whether the topic is worth a number in place of its name, where the broker takes such.
  /// - Returns: its number, which `acknowledged` names.
  func publish(
    topic: String, payload: [UInt8], quality: Int32, retain: Bool, expirySeconds: Int? = nil, isFrequent: Bool = false
  ) throws(MQTTError) -> Int32 {
    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    if settings.isVersion5, let expirySeconds {
      mosquitto_property_add_int32(
        &properties, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), UInt32(clamping: expirySeconds))
    }
    let known = aliases[topic]
    let alias = known ?? (isFrequent && aliases.count < topicAliases ? UInt16(aliases.count + 1) : nil)
    if let alias { mosquitto_property_add_int16(&properties, Int32(MQTT_PROP_TOPIC_ALIAS.rawValue), alias) }
    var message: Int32 = 0
    let result = payload.withUnsafeBytes { bytes in
      mosquitto_publish_v5(
        handle, &message, known == nil ? topic : "", Int32(bytes.count), bytes.baseAddress, quality, retain, properties)
    }
    try check("publish to \(topic)", result)
    if let alias { aliases[topic] = alias }
    return message
  }

  /// Asks for the messages of a topic; `subscribed` answers, in order with what was sent before.
  func subscribe(topic: String, quality: Int32) throws(MQTTError) -> Int32 {
    var message: Int32 = 0
    try check("subscribe to \(topic)", mosquitto_subscribe(handle, &message, topic, quality))
    return message
  }

  /// Wants the messages of a topic no more; `unsubscribed` answers, in order with what was sent before.
  func unsubscribe(topic: String) throws(MQTTError) -> Int32 {
    var message: Int32 = 0
    try check("unsubscribe from \(topic)", mosquitto_unsubscribe(handle, &message, topic))
    return message
  }

  /// Reads what came in and writes what waits; to be called when the socket is ready, and at least every few seconds.
  func serve(readable: Bool, writable: Bool) {
    var result: Int32 = 0
    if readable { result = mosquitto_loop_read(handle, 16) }
    if result == 0, writable || wantsToWrite { result = mosquitto_loop_write(handle, 16) }
    if result == 0 { result = mosquitto_loop_misc(handle) }
    // Not every way to lose the socket tells of itself: a failed TLS handshake does not.
    guard result != 0 || descriptor < 0, !box.events.contains(where: \.isEnd) else { return }
    box.events.append(.disconnected(reason: result == 0 ? Int32(MOSQ_ERR_CONN_LOST.rawValue) : result))
  }

  /// Whether something happened that `takeEvents` would give.
  var hasEvents: Bool { !box.events.isEmpty }

  /// Says goodbye: the broker does not send the will then, unless it is asked to (MQTT 5, 3.14.2.1).
  func disconnect(withWill: Bool = false) {
    mosquitto_disconnect_v5(handle, withWill && settings.isVersion5 ? 0x04 : 0, nil)
    if wantsToWrite { mosquitto_loop_write(handle, 16) }
  }

  /// What happened since the last call.
  func takeEvents() -> [MQTTEvent] {
    defer {
      box.events.removeAll(keepingCapacity: true)
      box.messages = 0
    }
    return box.events
  }

  /// Why the connection ended, for people; empty when the broker only closed it.
  func meaning(disconnectReason reason: Int32) -> String {
    // A number of 0x80 and more is the broker's own (MQTT 5), a smaller one the library's.
    switch reason {
    case 0, Int32(MOSQ_ERR_CONN_LOST.rawValue), Int32(MOSQ_ERR_CONN_REFUSED.rawValue): return ""
    case 0x80...: return mosquitto_reason_string(reason).map { ": " + String(cString: $0) } ?? ""
    default: return mosquitto_strerror(reason).map { ": " + String(cString: $0) } ?? ""
    }
  }

  /// What the refusal of a message means, for people (MQTT 5).
  func meaning(refusal reason: Int32) -> String {
    mosquitto_reason_string(reason).map { ": " + String(cString: $0) } ?? ""
  }

  /// What a refusal of the connection means, for people.
  func meaning(connectReason reason: Int32) -> String {
    let text = settings.isVersion5 ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason)
    return text.map { String(cString: $0) } ?? "reason \(reason)"
  }

  func check(_ operation: String, _ result: Int32) throws(MQTTError) {
    guard result != MOSQ_ERR_SUCCESS.rawValue else { return }
    let text = result == MOSQ_ERR_ERRNO.rawValue ? strerror(errno) : UnsafeMutablePointer(mutating: mosquitto_strerror(result))
    let forGood = [MOSQ_ERR_INVAL, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_MALFORMED_UTF8].map(\.rawValue)
    throw MQTTError(
      operation: operation, text: text.map { String(cString: $0) } ?? "error \(result)", isForGood: forGood.contains(result))
  }
}

/// The library wants to be made ready once, before anything else of it.
private let libraryIsReady: Bool = mosquitto_lib_init() == MOSQ_ERR_SUCCESS.rawValue
