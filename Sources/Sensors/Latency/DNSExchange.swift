import Platform

/// Asks a name server: over UDP, and over TCP when the answer did not fit (RFC 1035, section 4.2; RFC 7766).
enum DNSExchange {
  static func ask(
    _ server: NetworkAddress, port: UInt16, name: String, type: DNSRecordType, isChaos: Bool = false,
    until deadline: Int64
  ) throws(NetworkFailure) -> DNSMessage {
    // A random id, and a port that the kernel draws, are what keeps others from answering.
    guard let query = DNSMessage.query(id: .random(in: 0...UInt16.max), name: name, type: type, isChaos: isChaos) else {
      throw .wrong("'\(name)' is no domain name")
    }
    let socket = try DatagramSocket(to: server, port: port)
    try socket.send(query)
    for strays in 0..<LatencyLimits.strayPackets {
      let packet: [UInt8]
      do throws(NetworkFailure) {
        packet = try socket.receive(LatencyLimits.dnsPacketBytes, until: deadline)
      } catch {
        throw strays > 0 && error == .timedOut ? otherQuestion : error
      }
      guard let answer = try DNSMessage(packet, to: query, type: type) else { continue }
      guard answer.isTruncated else { return answer }
      return try askByStream(server, port, query, type, until: deadline)
    }
    throw otherQuestion
  }

  private static let otherQuestion = NetworkFailure.wrong("the name server answers another question")

  private static func askByStream(
    _ server: NetworkAddress, _ port: UInt16, _ query: [UInt8], _ type: DNSRecordType, until deadline: Int64
  ) throws(NetworkFailure) -> DNSMessage {
    let stream = try TCPStream(to: server, port: port, until: deadline)
    try stream.write([UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query, until: deadline)
    var bytes: [UInt8] = []
    var length = 2
    while bytes.count < length {
      let piece = try stream.read(length - bytes.count, until: deadline)
      guard !piece.isEmpty else { throw .closed }
      bytes += piece
      guard bytes.count >= 2 else { continue }
      length = 2 + (Int(bytes[0]) << 8 | Int(bytes[1]))
      guard length <= LatencyLimits.dnsStreamBytes else { throw .wrong("the name server's answer is too large") }
    }
    guard let answer = try DNSMessage(Array(bytes[2...]), to: query, type: type) else {
      throw otherQuestion
    }
    return answer
  }
}
