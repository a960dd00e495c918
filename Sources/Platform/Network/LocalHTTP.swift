public import Telemetry

/// HTTP over a Unix socket, as the engines of containers speak it.
enum LocalHTTP {
  /// A connection for one page: nothing is kept open between samples.
  static func request(_ target: String) -> [UInt8] {
    Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: godwit\r\nConnection: close\r\n\r\n".utf8)
  }

  /// Takes the next piece of an answer in, an empty one at its end, and hands its body on; false when no more is wanted.
  static func take(
    _ piece: [UInt8], into answer: inout HTTPAnswer, of socket: String, _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) -> Bool {
    do throws(NetworkFailure) {
      if piece.isEmpty { try answer.close() } else { try answer.take(piece) }
    } catch {
      throw .malformed(path: socket, what: error.description)
    }
    guard answer.hasHead else { return true }
    guard (200..<300).contains(answer.status) else { return false }
    let body = answer.drain()
    if !body.isEmpty, try !take(body) { return false }
    return !answer.isWhole
  }
}

extension LinuxCalls {
  /// Over a connection of its own.
  public func page(
    _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) -> Int {
    var answer = HTTPAnswer()
    try LocalSocket.exchange(
      path: socket, LocalHTTP.request(target), timeoutMilliseconds: timeoutMilliseconds, limit: PlatformLimits.localHTTPBytes
    ) { (piece) throws(SensorError) in
      try LocalHTTP.take(piece, into: &answer, of: socket, take)
    }
    return answer.status
  }
}

extension RecordedCalls {
  /// From `http/<socket>/<target>`, both with `/` written `\057`: an answer as it comes over the socket, its head included. A page that is not
  /// recorded has status 404, one that is empty never comes, and one that is `!` may not be asked for.
  public func page(
    _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) -> Int {
    let folder = "/http/" + Self.flat(socket)
    guard files.isDirectory(folder) else { throw .absent(socket) }
    let path = folder + "/" + Self.flat(target)
    guard files.exists(path) else { return 404 }
    var answer = HTTPAnswer()
    try recorded(path).read { (text) throws(SensorError) in
      if text.isAtEnd { throw .timedOut }
      if text.remaining == 1, text.skip(byte: 0x21) { throw .io(path: socket, errno: 13) }
      while try LocalHTTP.take(Self.piece(&text), into: &answer, of: socket, take) {}
    }
    return answer.status
  }

  private static func flat(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\057")
  }

  /// Small, as a network may bring them.
  private static func piece(_ text: inout ByteScanner) -> [UInt8] {
    var piece: [UInt8] = []
    while piece.count < 1_000, let byte = text.next, text.skip(byte: byte) { piece.append(byte) }
    return piece
  }
}
