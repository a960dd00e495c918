import Platform
import Telemetry

/// Asks chronyd by the packets that chronyc sends it: version 6 of the protocol, chrony 2.2 and later (candm.h).
///
/// It is asked by UDP on the loopback, where it answers anybody what only tells: no rights, no program, two packets for the clock and one for
/// each source. With `cmdport 0` it hears root alone, at its Unix socket. Numbers are in network order:
///
/// ```
///  0         1     2       4         6        8          12              20
/// ┌─────────┬─────┬───────┬─────────┬────────┬──────────┬───────────────┬──────────────────┐
/// │version 6│ 1   │ 0     │ command │ tries  │ number   │ 0             │ data, padding    │  request
/// ├─────────┼─────┼───────┼─────────┼────────┼──────────┼───────────────┼──────────┬───────┤
/// │version 6│ 2   │ 0     │ command │ format │ status   │ 0     │number │ 0        │ data  │  reply
/// └─────────┴─────┴───────┴─────────┴────────┴──────────┴───────┴───────┴──────────┴───────┘
///  0         1     2       4         6        8          10      16      20         28
/// ```
///
/// A request is as long as its reply, else it is not answered.
struct Chrony: Sendable {
  /// REQ_TRACKING, REQ_N_SOURCES, REQ_SOURCE_DATA with RPY_TRACKING, RPY_N_SOURCES, RPY_SOURCE_DATA, and the length of the reply.
  private static let tracking = (name: "tracking", command: UInt16(33), format: UInt16(5), bytes: 104)
  private static let count = (name: "sources", command: UInt16(14), format: UInt16(2), bytes: 32)
  private static let source = (name: "source", command: UInt16(15), format: UInt16(3), bytes: 76)

  let calls: any HostCalls
  let port: UInt16

  /// How the clock is kept: RPY_Tracking.
  struct Tracking: Sendable {
    /// Of the clock: one more than its source's.
    var stratum = 0
    /// 0 normal, 1 and 2 a leap second comes, 3 not synchronised.
    var leap = 0
    /// When the clock was last set right, milliseconds since 1970; nil when it never was.
    var reference: Int64?
    /// As the reply has them: offset, last and RMS offset (s), frequency, residual frequency and skew (ppm), root delay, root dispersion,
    /// update interval (s).
    var figures: [Double] = []
  }

  /// Where the time comes from: RPY_Source_Data.
  struct Source: Sendable {
    /// An address, or the four letters of a reference clock; nil while the name of a server or pool is not resolved.
    var name: String?
    var stratum = 0
    /// 0 selected, 1 unusable, 2 false, 3 too jittery, 4 combined, 5 not combined.
    var state = 0
    /// The last eight polls, a bit each.
    var reach = 0
    /// Since its last sample; nil before the first.
    var sampleSeconds: Double?
    /// As it was measured, not what slewing has made of it since.
    var offset = 0.0
    var error = 0.0
  }

  func tracking() throws(SensorError) -> Tracking { try Self.tracking(try ask(Self.tracking)) }

  func sourceCount() throws(SensorError) -> Int { Int(try ask(Self.count).number(28, 4)) }

  func source(_ index: Int) throws(SensorError) -> Source {
    try Self.source(try ask(Self.source, index))
  }

  private func ask(
    _ request: (name: String, command: UInt16, format: UInt16, bytes: Int), _ index: Int? = nil
  ) throws(SensorError) -> Reply {
    let number = UInt8(clamping: 1 + (index ?? 0))
    var bytes: [UInt8] = [6, 1, 0, 0, 0, UInt8(request.command), 0, 0, 0, 0, 0, number]
    bytes += [UInt8](repeating: 0, count: request.bytes - bytes.count)
    if let index { bytes[23] = UInt8(clamping: index) }
    let name = index.map { "chrony.\(request.name).\($0)" } ?? "chrony.\(request.name)"
    guard let loopback = NetworkAddress(bytes: [127, 0, 0, 1]) else { throw .absent("127.0.0.1") }
    let answer = try calls.ask(
      ServiceRequest(
        name, to: .port(loopback, port), bytes, limit: TimeLimits.answerBytes, timeoutMilliseconds: TimeLimits.answerMilliseconds)
    )
    guard answer.count >= 28, answer[0] == 6, answer[1] == 2 else {
      throw .malformed(path: name, what: "no reply of chronyd's protocol 6")
    }
    let reply = Reply(bytes: answer)
    let status = reply.number(8, 2)
    guard status == 0 else { throw .device("chronyd", what: "\(request.name): status \(status)") }
    guard reply.number(4, 2) == request.command, reply.number(6, 2) == request.format, reply.number(16, 4) == number,
      answer.count >= request.bytes
    else { throw .malformed(path: name, what: "a reply to another request, or one that is cut") }
    return reply
  }

  private static func tracking(_ reply: Reply) throws(SensorError) -> Tracking {
    // The highest half of a 32-bit time is marked.
    let high = reply.number(56, 4) == 0x7FFF_FFFF ? 0 : UInt64(reply.number(56, 4))
    let seconds = high << 32 | UInt64(reply.number(60, 4))
    let milliseconds = seconds > 0 && seconds < 1 << 40 ? Int64(seconds) * 1_000 + Int64(reply.number(64, 4) / 1_000_000) : nil
    return Tracking(
      stratum: Int(reply.number(52, 2)), leap: Int(reply.number(54, 2)), reference: milliseconds,
      figures: (0..<9).map { reply.float(68 + 4 * $0) })
  }

  private static func source(_ reply: Reply) throws(SensorError) -> Source {
    let age = reply.number(60, 4)
    return Source(
      name: reply.name(28, isClock: reply.number(54, 2) == 2), stratum: Int(reply.number(50, 2)), state: Int(reply.number(52, 2)),
      reach: Int(reply.number(58, 2)), sampleSeconds: age == .max ? nil : Double(age), offset: reply.float(64),
      error: reply.float(72))
  }

  /// Whose length was compared before.
  private struct Reply {
    let bytes: [UInt8]

    func number(_ at: Int, _ count: Int) -> UInt32 { bytes[at..<at + count].reduce(0) { $0 << 8 | UInt32($1) } }

    /// A signed exponent of 7 bits and a signed coefficient of 25, without a hidden bit: 2^(exponent − 25) × coefficient.
    func float(_ at: Int) -> Double {
      let bits = Int32(bitPattern: number(at, 4))
      return Double(sign: .plus, exponent: Int(bits >> 25) - 25, significand: Double((bits << 7) >> 7))
    }

    /// IPAddr: 16 bytes of address, then its family: 1 IPv4, 2 IPv6, 3 a number in place of an address that is not known yet. Of a reference
    /// clock the address is its identifier.
    func name(_ at: Int, isClock: Bool) -> String? {
      let family = number(at + 16, 2)
      if !isClock {
        return family == 3 ? nil : NetworkAddress(bytes: Array(bytes[at..<at + (family == 2 ? 16 : 4)])).map { "\($0)" }
      }
      let letters = bytes[at..<at + 4].filter { $0 > 0x20 && $0 < 0x7F }
      return String(decoding: letters, as: UTF8.self)
    }
  }
}
