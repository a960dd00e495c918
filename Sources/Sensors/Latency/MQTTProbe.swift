import Platform

/// As much of MQTT 3.1.1 as a round trip to a broker needs: CONNECT, CONNACK, PINGREQ, PINGRESP, DISCONNECT.
struct MQTTProbe {
  private let stream: any ByteStream
  private var pending: [UInt8] = []

  init(_ stream: any ByteStream) { self.stream = stream }

  /// A clean session under a name of its own, which leaves nothing behind.
  ///
  /// ```
  /// 10 LL…  00 04 M Q T T 04  flags  00 3C       NN NN client  NN NN user  NN NN password
  ///         protocol, level          keep alive  name          with 80     with 40
  /// flags: 80 a user, 40 a password, 02 clean
  /// ```
  static func connect(client: String, username: String? = nil, password: String? = nil) -> [UInt8] {
    var rest: [UInt8] = [0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60]
    func append(_ text: [UInt8]) {
      rest += [UInt8(truncatingIfNeeded: text.count >> 8), UInt8(truncatingIfNeeded: text.count)] + text
    }
    append(Array(client.utf8.prefix(23)))
    if let username {
      rest[7] |= 0x80
      append(Array(username.utf8.prefix(LatencyLimits.mqttLoginBytes)))
      if let password {
        rest[7] |= 0x40
        append(Array(password.utf8.prefix(LatencyLimits.mqttLoginBytes)))
      }
    }
    var packet: [UInt8] = [0x10]
    var length = rest.count
    repeat {
      packet.append(UInt8(length & 0x7F) | (length > 0x7F ? 0x80 : 0))
      length >>= 7
    } while length > 0
    return packet + rest
  }

  /// Opens the session.
  mutating func open(username: String?, password: String?, until deadline: Int64) throws(NetworkFailure) {
    let client = "godwit" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    try stream.write(Self.connect(client: client, username: username, password: password), until: deadline)
    let answer = try packet(until: deadline)
    guard answer.type == 2, answer.body.count == 2 else { throw .wrong("the broker does not answer as MQTT 3.1.1 wants it") }
    guard answer.body[1] == 0 else {
      let reasons = ["", "protocol version", "client identifier", "broker unavailable", "user or password", "not authorised"]
      let code = Int(answer.body[1])
      throw .wrong("the broker refuses the session: \(code < reasons.count ? reasons[code] : "code \(code)")")
    }
  }

  /// Sends a PINGREQ and waits for its answer.
  mutating func ping(until deadline: Int64) throws(NetworkFailure) {
    try stream.write([0xC0, 0], until: deadline)
    guard try packet(until: deadline).type == 13 else { throw .wrong("the broker does not answer as MQTT 3.1.1 wants it") }
  }

  /// Says that it goes: the broker need not look for it.
  func close(until deadline: Int64) { try? stream.write([0xE0, 0], until: deadline) }

  private mutating func packet(until deadline: Int64) throws(NetworkFailure) -> (type: UInt8, body: [UInt8]) {
    while true {
      if let (packet, count) = try Self.packet(pending) {
        pending.removeFirst(count)
        return packet
      }
      let piece = try stream.read(256, until: deadline)
      guard !piece.isEmpty else { throw .closed }
      pending += piece
    }
  }

  /// The first packet of some bytes and how many it takes; nil while it is not whole. The length is told in 7 bits a byte, lowest first.
  static func packet(_ bytes: [UInt8]) throws(NetworkFailure) -> (packet: (type: UInt8, body: [UInt8]), count: Int)? {
    guard let first = bytes.first else { return nil }
    var length = 0
    for place in 0..<4 {
      guard 1 + place < bytes.count else { return nil }
      length |= Int(bytes[1 + place] & 0x7F) << (7 * place)
      guard bytes[1 + place] & 0x80 == 0 else { continue }
      guard length <= LatencyLimits.mqttPacketBytes else { throw .wrong("the broker's answer is too long") }
      let start = 2 + place
      guard bytes.count >= start + length else { return nil }
      return ((first >> 4, Array(bytes[start..<start + length])), start + length)
    }
    throw .wrong("the broker's answer is malformed")
  }
}
