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
    try either("status") { buffer throws(BufferError) in try BufferStatus.read(buffer, rules: rules) }
  }

  /// How delivery stands, and why the agent was not the one to tell.
  func uplinkReport() throws -> (report: UplinkReport, agentProblem: String?) {
    try either("uplink") { buffer throws(BufferError) in try BufferStatus.readUplink(buffer) }
  }

  /// Tells the agent to do something; what it answers. There is no other place to ask.
  func tell(_ request: String) throws -> JSONValue {
    guard let socket else { throw Failure("no control socket is known: name one with --socket") }
    do throws(SensorError) {
      let answer = try LocalSocket.ask(
        path: socket, Array("\(request)\n".utf8), timeoutMilliseconds: Self.timeoutMilliseconds, limit: Self.answerBytes)
      return (try? JSONReader.read(answer, limits: .init(bytes: Self.answerBytes, depth: 4, values: 64))) ?? .null
    } catch {
      throw Failure("no agent answers at \(socket): \(Self.reason(error))")
    }
  }

  private func either<Report: Decodable>(
    _ request: String, _ read: (String) throws(BufferError) -> Report
  ) throws -> (report: Report, agentProblem: String?) {
    guard let socket else { return (try fromBuffer(read), nil) }
    do {
      return (try Self.ask(socket, request), nil)
    } catch {
      guard let buffer, Host().exists(buffer) else {
        throw Failure(
          "no agent answers at \(socket): \(Self.reason(error)); and there is no buffer file\(buffer.map { " \($0)" } ?? " to read")"
        )
      }
      return (try fromBuffer(read), Self.reason(error))
    }
  }

  private func fromBuffer<Report>(_ read: (String) throws(BufferError) -> Report) throws -> Report {
    guard let buffer else { throw Failure("neither a control socket nor a buffer file is known") }
    try BufferPlace.check(buffer)
    return try Failure.rethrow { try read(buffer) }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case SensorError.absent: "nobody listens at its socket"
    case SensorError.timedOut: "it did not answer in time"
    case SensorError.io(_, EACCES): "permission denied: only root and the group godwit may ask it"
    default: "\(error)"
    }
  }

  private static func ask<Report: Decodable>(_ socket: String, _ request: String) throws -> Report {
    let answer = try LocalSocket.ask(
      path: socket, Array("\(request)\n".utf8), timeoutMilliseconds: timeoutMilliseconds, limit: answerBytes)
    do {
      return try JSONDecoder().decode(Report.self, from: Data(answer))
    } catch {
      throw Failure("it runs another version: its answer to '\(request)' is not understood")
    }
  }
}
