import Glibc
import Platform

/// `godwitd --hold-outputs`: the guard as a process. Started by the agent, never by hand: it hears the agent on its standard input.
enum OutputGuardProcess {
  /// Serves until the agent is gone; then the lines are in their safe state.
  static func main(host: Host) -> Int32 {
    let lines = OutputGuard(gpio: host.calls.gpio)
    var heard = milliseconds()
    var isSilent = false
    while true {
      let now = milliseconds()
      let limit = Int64(lines.limitMilliseconds ?? AgentLimits.guardStartMilliseconds)
      let next = min(isSilent ? .max : heard + limit, lines.nextTry ?? .max)
      switch PacketParent.receive(milliseconds: next == .max ? -1 : Int(clamping: max(next - now, 0))) {
      case .packet(let packet):
        heard = milliseconds()
        isSilent = false
        guard let message = OutputMessage(packet) else { continue }
        lines.take(message, now: heard)
        PacketParent.send(lines.report.packet)
      case .silence:
        let now = milliseconds()
        if !isSilent, now - heard >= limit {
          isSilent = true
          say("outputs: the agent says nothing for \(limit) ms: all are in their safe state")
          lines.makeSafe(now)
        } else {
          lines.drive(now)
        }
      case .end:
        lines.makeSafe(milliseconds())
        return Agent.Status.good.rawValue
      }
    }
  }

  /// CLOCK_MONOTONIC, which stands still with the agent while the device sleeps.
  private static func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  private static func say(_ text: String) { StandardStreams.writeError(Array("\(text)\n".utf8)) }
}
