import Buffer
import FoundationEssentials
import Glibc
import Platform
import Telemetry

/// Where a status comes from: the running agent, else its buffer file.
struct ReportSource {
  /// How long an agent may take to answer.
  static let timeoutMilliseconds = 2_000
  /// What an answer may weigh.
  static let answerBytes = 1 << 20

  /// The agent's control socket; nil to look at the file only.
  let socket: String?
  /// The buffer file; nil to ask the agent only.
  let buffer: String?
  /// The rules of the profile, for what the buffer does not keep of an alert.
  var rules: [AlertRule] = []

  /// A report, and why the agent was not the one to give it.
  func report() throws -> (report: StatusReport, agentProblem: String?) {
    guard let socket else { return (try fromBuffer(), nil) }
    do {
      return (try Self.ask(socket), nil)
    } catch {
      guard let buffer, Host().exists(buffer) else {
        throw Failure(
          "no agent answers at \(socket): \(Self.reason(error)); and there is no buffer file\(buffer.map { " \($0)" } ?? " to read")"
        )
      }
      return (try fromBuffer(), Self.reason(error))
    }
  }

  private func fromBuffer() throws -> StatusReport {
    guard let buffer else { throw Failure("neither a control socket nor a buffer file is known") }
    try BufferPlace.check(buffer)
    return try Failure.rethrow { try BufferStatus.read(buffer, rules: rules) }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case SensorError.absent: "nobody listens at its socket"
    case SensorError.timedOut: "it did not answer in time"
    case SensorError.io(_, EACCES): "permission denied: only root and the group godwit may ask it"
    default: "\(error)"
    }
  }

  private static func ask(_ socket: String) throws -> StatusReport {
    let answer = try LocalSocket.ask(
      path: socket, Array("status\n".utf8), timeoutMilliseconds: timeoutMilliseconds, limit: answerBytes)
    do {
      return try JSONDecoder().decode(StatusReport.self, from: Data(answer))
    } catch {
      throw Failure("the answer is no status report of version \(StatusReport.currentVersion)")
    }
  }
}
