public import Telemetry

/// A question to a service of this machine by a socket, and how its answer ends.
public struct ServiceRequest: Sendable {
  /// Where the service listens.
  public enum Place: Hashable, Sendable {
    /// A UDP port: the answer is one packet.
    case port(NetworkAddress, UInt16)
    /// A Unix stream socket: the answer ends when the service closes it.
    case socket(String)
  }

  /// What it is called in messages and recordings: `chrony.tracking`.
  public let name: String
  /// Where it goes.
  public let place: Place
  /// What is sent.
  public let bytes: [UInt8]
  /// Bytes of the answer at most.
  public let limit: Int
  /// How long the whole answer is waited for.
  public let timeoutMilliseconds: Int

  /// States a question.
  public init(_ name: String, to place: Place, _ bytes: [UInt8], limit: Int, timeoutMilliseconds: Int) {
    (self.name, self.place, self.bytes) = (name, place, bytes)
    (self.limit, self.timeoutMilliseconds) = (limit, timeoutMilliseconds)
  }
}

extension LinuxCalls {
  /// By a socket of its own, so that no answer can be that to another question.
  public func ask(_ request: ServiceRequest) throws(SensorError) -> [UInt8] {
    switch request.place {
    case .socket(let path):
      return try LocalSocket.ask(
        path: path, request.bytes, timeoutMilliseconds: request.timeoutMilliseconds, limit: request.limit)
    case .port(let address, let port):
      let deadline = SystemClock.monotonicNanoseconds + Int64(request.timeoutMilliseconds) * 1_000_000
      do throws(NetworkFailure) {
        let socket = try DatagramSocket(to: address, port: port)
        try socket.send(request.bytes)
        return try socket.receive(request.limit, until: deadline)
      } catch {
        switch error {
        case .refused, .unreachable: throw .absent("\(address) port \(port)")
        case .timedOut: throw .timedOut
        default: throw .device(request.name, what: "\(error)")
        }
      }
    }
  }
}

extension RecordedCalls {
  /// From `services/<name>`, as it is, or `services/<name>.hex`: hexadecimal digits in any spacing, `#` begins a remark. An empty file is a
  /// service that does not answer; what is not recorded is absent.
  public func ask(_ request: ServiceRequest) throws(SensorError) -> [UInt8] {
    let path = "/services/\(request.name)"
    var answer: [UInt8] = []
    do throws(SensorError) {
      answer = try recorded(path).read { (text) throws(SensorError) in Array(text.rest().utf8) }
    } catch {
      guard case .absent = error else { throw error }
      answer = try recorded("\(path).hex").read { (text) throws(SensorError) in try Self.bytes(&text, path: path) }
    }
    guard !answer.isEmpty else { throw .timedOut }
    guard answer.count <= request.limit else {
      throw .malformed(path: request.name, what: "the answer is larger than \(request.limit) bytes")
    }
    return answer
  }
}
