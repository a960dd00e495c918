import Platform
import Synchronization
import Telemetry

/// Answers of a recorded device, from `.host/latency`. Each probe of a target takes its next line; the last one stays.
///
/// ```
/// gateway 1.25                                  a round trip, milliseconds
/// shop 83.1 connect=20 tls=31 status=200        with phases, and status=, dns_code=, dns_records=, certificate= (seconds)
/// shop 70 status=500 fault=the\040status\040is\040500
/// cloud lost fault=refused
/// here unsent fault=not\040allowed
/// hop cloud 3 router 192.0.2.1 8.5              a probe of 3 hops: router or end with its address, or silent
/// ```
final class RecordedProber: Prober {
  private let host: Host
  private let taken = Mutex<[String: Int]>([:])

  init(_ host: Host) { self.host = host }

  func probe(_ target: LatencyTarget) -> ProbeAnswer {
    guard let words = line([target.name]) else { return ProbeAnswer(fault: "nothing is recorded of it", isUnsent: true) }
    return Self.answer(words) ?? ProbeAnswer(fault: "what is recorded of it is malformed", isUnsent: true)
  }

  func probe(_ target: LatencyTarget, hops: Int) -> HopAnswer {
    guard let words = line(["hop", target.name, "\(hops)"]) else { return .silent }
    return Self.hop(words) ?? .failed("what is recorded of hop \(hops) is malformed")
  }

  private func line(_ start: [String]) -> [String]? {
    let key = start.last == start.first ? start[0] : "\(start[1]) \(start[2])"
    let place = taken.withLock { taken in
      taken[key, default: 0] += 1
      return taken[key, default: 1] - 1
    }
    let lines = try? host.file("/.host/latency").read { (text) throws(SensorError) in
      var lines: [[String]] = []
      while !text.isAtEnd {
        let words = text.restOfLine().split(separator: " ").map { unescapedOctal(String($0)) }
        if words.starts(with: start) { lines.append(Array(words.dropFirst(start.count))) }
        text.skipLine()
      }
      return lines
    }
    guard let lines, !lines.isEmpty else { return nil }
    return lines[min(place, lines.count - 1)]
  }

  static func answer(_ words: [String]) -> ProbeAnswer? {
    guard let first = words.first else { return nil }
    var answer = ProbeAnswer()
    switch first {
    case "lost": break
    case "unsent": answer.isUnsent = true
    default:
      guard let milliseconds = positive(first[...]) else { return nil }
      answer.milliseconds = milliseconds
    }
    for word in words.dropFirst() {
      let key = word.prefix { $0 != "=" }
      let value = word.dropFirst(key.count + 1)
      if key == "fault" {
        answer.fault = String(value)
        continue
      }
      guard let number = Quantity.number(String(value)), number.magnitude < 1e12 else { return nil }
      switch key {
      case "status": answer.status = Int(number)
      case "dns_code": answer.dnsCode = Int(number)
      case "dns_records": answer.dnsRecords = Int(number)
      case "certificate": answer.certificateSeconds = number
      default:
        guard let phase = ProbePhase(rawValue: String(key)), number >= 0 else { return nil }
        answer.phases[phase] = number
      }
    }
    if answer.milliseconds == nil, answer.fault == nil { answer.fault = "\(NetworkFailure.timedOut)" }
    return answer
  }

  static func hop(_ words: [String]) -> HopAnswer? {
    if words == ["silent"] { return .silent }
    guard words.count == 3, let milliseconds = positive(words[2][...]) else { return nil }
    switch words[0] {
    case "router": return .router(words[1], milliseconds: milliseconds)
    case "end": return .end(words[1], milliseconds: milliseconds)
    default: return nil
    }
  }

  private static func positive(_ text: Substring) -> Double? {
    Quantity.number(String(text)).flatMap { $0 >= 0 && $0 < 1e9 ? $0 : nil }
  }
}
