import Platform
import Synchronization
import Telemetry

/// Probes by the network of this machine. Every call comes back within twice the target's time-out: its name, then the probe itself.
final class NetworkProber: Prober {
  private let lookup: NameLookup
  private let trusts = Mutex<[String: (trust: TLSTrust, until: Int64)]>([:])
  private let sequence = Atomic<UInt16>(0)

  init(_ host: Host) { lookup = NameLookup(host) }

  func probe(_ target: LatencyTarget) -> ProbeAnswer {
    var answer = ProbeAnswer()
    do throws(NetworkFailure) {
      switch target.kind {
      case .icmp: try echo(target, &answer)
      case .tcp: _ = try connect(target, &answer)
      case .tls: _ = try secure(target, &answer, over: try connect(target, &answer))
      case .http: try get(target, &answer)
      case .dns: try query(target, &answer)
      case .mqtt: try ping(target, &answer)
      }
    } catch {
      answer.fault = "\(error)"
      if case .barred = error { answer.isUnsent = true }
    }
    return answer
  }

  /// The address of the target's host, and until when its answer is waited for.
  private func locate(
    _ target: LatencyTarget, _ answer: inout ProbeAnswer
  ) throws(NetworkFailure) -> (address: NetworkAddress, deadline: Int64) {
    let start = SystemClock.monotonicNanoseconds
    let address = try lookup.address(of: target, isFresh: target.kind == .http, until: start + target.timeoutNanoseconds)
    answer.phases[.resolve] = Self.milliseconds(since: start)
    return (address, SystemClock.monotonicNanoseconds + target.timeoutNanoseconds)
  }

  private static func milliseconds(since start: Int64) -> Double {
    Double(SystemClock.monotonicNanoseconds - start) / 1e6
  }

  private func echo(_ target: LatencyTarget, _ answer: inout ProbeAnswer) throws(NetworkFailure) {
    let (address, deadline) = try locate(target, &answer)
    let socket = try EchoSocket(to: address)
    let echo = ICMPEcho(
      isIPv6: address.isIPv6, identifier: .random(in: 1...UInt16.max),
      sequence: sequence.add(1, ordering: .relaxed).newValue, token: (0..<16).map { _ in .random(in: 0...255) })
    let start = SystemClock.monotonicNanoseconds
    try socket.send(echo.request)
    for _ in 0..<LatencyLimits.strayPackets {
      let packet = try socket.receive(256, until: deadline)
      let milliseconds = Self.milliseconds(since: start)
      guard echo.isAnswered(by: packet, hasHeader: socket.isRaw && !address.isIPv6) else { continue }
      answer.milliseconds = milliseconds
      return
    }
    throw .timedOut
  }

  private func connect(_ target: LatencyTarget, _ answer: inout ProbeAnswer) throws(NetworkFailure) -> (TCPStream, Int64) {
    let (address, deadline) = try locate(target, &answer)
    let start = SystemClock.monotonicNanoseconds
    let stream = try TCPStream(to: address, port: target.port, until: deadline)
    let milliseconds = Self.milliseconds(since: start)
    answer.phases[.connect] = milliseconds
    if target.kind == .tcp { answer.milliseconds = milliseconds }
    return (stream, deadline)
  }

  private func secure(
    _ target: LatencyTarget, _ answer: inout ProbeAnswer, over plain: (stream: TCPStream, deadline: Int64)
  ) throws(NetworkFailure) -> any ByteStream {
    guard target.isSecure else { return plain.stream }
    guard TLSTrust.isThere else { throw .barred("TLS needs OpenSSL (libssl.so.3), which is not installed") }
    guard let trust = trust(of: target) else {
      var files = target.caFile ?? "the system's place"
      if let own = target.credentials.certificateFile, let key = target.credentials.keyFile { files += ", \(own) and \(key)" }
      throw .barred("no certificates can be read from \(files)")
    }
    let start = SystemClock.monotonicNanoseconds
    let stream = try TLSStream(over: plain.stream, trust: trust, name: target.serverName, until: plain.deadline)
    let milliseconds = Self.milliseconds(since: start)
    answer.phases[.tls] = milliseconds
    if target.kind == .tls { answer.milliseconds = milliseconds }
    if let end = stream.certificateEnd {
      answer.certificateSeconds = Double(end) - Double(SystemClock().wallMilliseconds()) / 1000
    }
    if let what = stream.distrust { throw .tls(what) }
    return stream
  }

  /// Kept for a while: reading a machine's certificates costs more than a handshake.
  private func trust(of target: LatencyTarget) -> TLSTrust? {
    let now = SystemClock.monotonicNanoseconds
    let (certificate, privateKey) = (target.credentials.certificateFile, target.credentials.keyFile)
    let key = "\(target.caFile ?? "")\n\(certificate ?? "")\n\(privateKey ?? "")"
    if let known = trusts.withLock({ $0[key] }), known.until > now { return known.trust }
    guard let made = TLSTrust(file: target.caFile, certificate: certificate, key: privateKey) else { return nil }
    trusts.withLock { $0[key] = (made, now + LatencyLimits.trustNanoseconds) }
    return made
  }

  private func get(_ target: LatencyTarget, _ answer: inout ProbeAnswer) throws(NetworkFailure) {
    guard let url = target.url else { return }
    let start = SystemClock.monotonicNanoseconds
    let plain = try connect(target, &answer)
    let deadline = plain.1
    let stream = try secure(target, &answer, over: plain)
    let request =
      "GET \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\nUser-Agent: godwit\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    try stream.write(Array(request.utf8), until: deadline)
    var http = HTTPAnswer(bodyBytes: LatencyLimits.httpBodyBytes)
    var count = 0
    while !http.isWhole, !http.isFull, count < LatencyLimits.httpBytes {
      let piece = try stream.read(16_384, until: deadline)
      if count == 0, !piece.isEmpty { answer.phases[.firstByte] = Self.milliseconds(since: start) }
      count += piece.count
      if piece.isEmpty { try http.close() } else { try http.take(piece) }
    }
    guard http.hasHead else { throw .wrong("the answer is not HTTP/1.x") }
    let total = Self.milliseconds(since: start)
    answer.phases[.total] = total
    answer.milliseconds = total
    answer.status = http.status
    try judge(http, target)
  }

  private func judge(_ http: HTTPAnswer, _ target: LatencyTarget) throws(NetworkFailure) {
    let isRight = target.expectedStatus.map { http.status == $0 } ?? (200..<300).contains(http.status)
    if !isRight {
      var what = "the status is \(http.status)"
      // What another side wrote goes into messages: printable, and not much of it.
      let shown = http.location.utf8.prefix(LatencyLimits.shownBytes).filter { $0 > 0x20 && $0 < 0x7F }
      if (300..<400).contains(http.status), !shown.isEmpty {
        what += ", and the redirect to \(String(decoding: shown, as: UTF8.self)) is not followed"
      }
      throw .wrong(what)
    }
    guard target.expectedText.isEmpty || Self.contains(http.body, target.expectedText) else {
      throw .wrong("the expected text is not in the answer")
    }
  }

  static func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
    guard let first = wanted.first, bytes.count >= wanted.count else { return wanted.isEmpty }
    return (0...bytes.count - wanted.count).contains { start in
      bytes[start] == first && bytes[start..<start + wanted.count].elementsEqual(wanted)
    }
  }

  private func query(_ target: LatencyTarget, _ answer: inout ProbeAnswer) throws(NetworkFailure) {
    guard let server = target.resolver ?? lookup.servers().first else { throw .barred("/etc/resolv.conf names no server") }
    let start = SystemClock.monotonicNanoseconds
    let message = try DNSExchange.ask(
      server, port: target.port, name: target.query, type: target.record, until: start + target.timeoutNanoseconds)
    answer.milliseconds = Self.milliseconds(since: start)
    answer.dnsCode = message.code
    answer.dnsRecords = message.found
    guard message.code == 0 else { throw .wrong(Self.meaning(ofCode: message.code)) }
    guard message.found > 0 else { throw .wrong("the name has no \(target.record.rawValue) record") }
  }

  /// RCODE of RFC 1035, section 4.1.1.
  private static func meaning(ofCode code: Int) -> String {
    switch code {
    case 1: "the server does not understand the query"
    case 2: "the server failed"
    case 3: "there is no such name"
    case 5: "the server refuses the query"
    default: "the server answers code \(code)"
    }
  }

  private func ping(_ target: LatencyTarget, _ answer: inout ProbeAnswer) throws(NetworkFailure) {
    let password = try target.credentials.password()
    let plain = try connect(target, &answer)
    let stream = try secure(target, &answer, over: plain)
    var session = MQTTProbe(stream)
    let start = SystemClock.monotonicNanoseconds
    try session.open(username: target.credentials.username, password: password, until: plain.1)
    answer.phases[.session] = Self.milliseconds(since: start)
    let sent = SystemClock.monotonicNanoseconds
    try session.ping(until: plain.1)
    answer.milliseconds = Self.milliseconds(since: sent)
    session.close(until: plain.1)
  }

  func probe(_ target: LatencyTarget, hops: Int) -> HopAnswer {
    do throws(NetworkFailure) {
      var unused = ProbeAnswer()
      let address = try locate(target, &unused).address
      // Ports from 33434 on are those of traceroute: nothing listens there, so the end answers that its port is closed.
      let socket = try DatagramSocket(to: address, port: UInt16(33_434 + hops))
      try socket.limit(hops: hops)
      let start = SystemClock.monotonicNanoseconds
      try socket.send([UInt8](repeating: 0, count: 24))
      let deadline = start + Int64(LatencyLimits.hopTimeoutMilliseconds) * 1_000_000
      let rejection = try socket.rejection(until: deadline)
      let milliseconds = Self.milliseconds(since: start)
      guard let rejection else { return .end("\(address)", milliseconds: milliseconds) }
      if rejection.isOnTheWay { return .router("\(rejection.origin)", milliseconds: milliseconds) }
      // Whoever says that it cannot be reached is where the path ends for now.
      return .end("\(rejection.origin)", milliseconds: milliseconds)
    } catch {
      return error == .timedOut ? .silent : .failed("\(error)")
    }
  }
}
