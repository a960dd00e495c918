import CMosquitto
import Glibc

/// What happened on an MQTT connection.
enum MQTTEvent: Sendable {
  /// The broker accepted (0) or refused the connection.
  case connected(reason: Int32, MQTTLimits)
  /// The connection is gone; 0 when we ended it.
  case disconnected(reason: Int32)
  /// The broker acknowledged a message; a reason of 0x80 and above is a refusal (MQTT 5 only).
  case acknowledged(message: Int32, reason: Int32)
  /// The broker answered a subscription; false when it refuses it.
  case subscribed(message: Int32, isGranted: Bool)
  /// The broker answered the end of a subscription.
  case unsubscribed(message: Int32)
  /// A message came; `retained` when it lay at the broker before we subscribed.
  case message(topic: String, payload: [UInt8], retained: Bool)

  /// Whether the connection is over with it.
  var isEnd: Bool {
    switch self {
    case .connected(let reason, _): reason != 0
    case .disconnected: true
    case .acknowledged, .subscribed, .unsubscribed, .message: false
    }
  }
}

/// What the broker says of itself when it accepts a connection (MQTT 5, 3.2.2.3); a 3.1.1 broker says nothing.
struct MQTTLimits: Hashable, Sendable {
  /// Messages of QoS 1 that it takes before it has acknowledged the first of them.
  var receiveMaximum = 65_535
  /// Bytes of a whole packet.
  var packetBytes = Int.max
  /// Topics that may be sent as a number.
  var topicAliases = 0

  init() {}

  init(_ properties: OpaquePointer?) {
    var short: UInt16 = 0
    var long: UInt32 = 0
    if mosquitto_property_read_int16(properties, Int32(MQTT_PROP_RECEIVE_MAXIMUM.rawValue), &short, false) != nil, short > 0 {
      receiveMaximum = Int(short)
    }
    if mosquitto_property_read_int32(properties, Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue), &long, false) != nil, long > 0 {
      packetBytes = Int(long)
    }
    if mosquitto_property_read_int16(properties, Int32(MQTT_PROP_TOPIC_ALIAS_MAXIMUM.rawValue), &short, false) != nil {
      topicAliases = Int(short)
    }
  }
}

/// Where the callbacks leave what happened, until the thread that served the socket takes it.
final class MQTTEventBox {
  var events: [MQTTEvent] = []
  /// How many of them are messages: acknowledgements of a large window shall not crowd out a command.
  var messages = 0
  /// Unix milliseconds of the attempt.
  var wallMilliseconds: Int64 = 0
  /// What the broker's certificate must name; nil: nothing.
  var serverName: String?
  /// The password of the client's key.
  var keyPassword: [UInt8]?
  /// Why the broker's certificate was refused.
  var certificateProblem: CertificateProblem?
  /// What the library or OpenSSL complained of.
  var complaint: String?
  let incomingBytes: Int

  init(incomingBytes: Int) { self.incomingBytes = incomingBytes }
}

// Callbacks are global functions: closures handed to C would be bound to the caller's actor.

func eventBox(_ pointer: UnsafeMutableRawPointer?) -> MQTTEventBox? {
  pointer.map { Unmanaged<MQTTEventBox>.fromOpaque($0).takeUnretainedValue() }
}

func onConnect(
  _: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ reason: Int32, _: Int32, _ properties: OpaquePointer?
) {
  eventBox(pointer)?.events.append(.connected(reason: reason, MQTTLimits(properties)))
}

func onSubscribe(
  _: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ message: Int32, _ count: Int32, _ granted: UnsafePointer<Int32>?,
  _: OpaquePointer?
) {
  // One topic a request. 0x80 and above is a refusal.
  let isGranted = count > 0 && (granted?.pointee ?? 0x80) < 0x80
  eventBox(pointer)?.events.append(.subscribed(message: message, isGranted: isGranted))
}

func onUnsubscribe(_: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ message: Int32) {
  eventBox(pointer)?.events.append(.unsubscribed(message: message))
}

func onMessage(
  _: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ message: UnsafePointer<mosquitto_message>?, _: OpaquePointer?
) {
  guard let message = message?.pointee, let topic = message.topic, let box = eventBox(pointer),
    box.messages < UplinkLimits.incomingMessages
  else { return }
  box.messages += 1
  // Longer ones are cut, and so known to be too long.
  let count = min(Int(max(message.payloadlen, 0)), box.incomingBytes + 1)
  let payload = count > 0 ? [UInt8](UnsafeRawBufferPointer(start: message.payload, count: count)) : []
  box.events.append(.message(topic: String(cString: topic), payload: payload, retained: message.retain))
}

func onDisconnect(_: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ reason: Int32, _: OpaquePointer?) {
  eventBox(pointer)?.events.append(.disconnected(reason: reason))
}

func onPublish(
  _: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ message: Int32, _ reason: Int32, _: OpaquePointer?
) {
  eventBox(pointer)?.events.append(.acknowledged(message: message, reason: reason))
}
