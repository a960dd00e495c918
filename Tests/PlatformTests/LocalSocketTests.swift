import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@Suite struct LocalSocketTests {
  /// Listens at a path of its own, takes one connection and gives it to `serve`.
  static func withServer<Result>(
    _ serve: @escaping @Sendable (Int32) -> Void, _ body: (String) throws -> Result
  ) throws -> Result {
    let path = NSTemporaryDirectory() + "godwit-\(UInt32.random(in: 0...UInt32.max)).sock"
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let bound = withUnsafeBytes(of: &address) {
      bind(listener, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    try #require(bound == 0 && listen(listener, 4) == 0)
    defer {
      close(listener)
      unlink(path)
    }
    Foundation.Thread.detachNewThread {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      serve(connection)
      close(connection)
    }
    return try body(path)
  }

  static func ask(_ path: String, timeout: Int = 5_000, limit: Int = 1 << 20) -> Result<[UInt8], SensorError> {
    do throws(SensorError) {
      return .success(try LocalSocket.ask(path: path, Array("status\n".utf8), timeoutMilliseconds: timeout, limit: limit))
    } catch {
      return .failure(error)
    }
  }

  @Test func aQuestionAndItsAnswerInPieces() throws {
    let answer = try Self.withServer({ connection in
      var request = [UInt8](repeating: 0, count: 64)
      let count = recv(connection, &request, request.count, 0)
      for piece in [Array(request[0..<max(count, 0)]), Array(repeating: UInt8(ascii: "x"), count: 100_000)] {
        _ = send(connection, piece, piece.count, 0)
      }
    }) { Self.ask($0) }
    let expected = Array("status\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 100_000)
    #expect(answer == .success(expected))
  }

  @Test func anAnswerThatIsTooLargeIsRefused() throws {
    let answer = try Self.withServer({ connection in
      // Closing before the request came would break the asking side off in the middle of it.
      var request = [UInt8](repeating: 0, count: 64)
      _ = recv(connection, &request, request.count, 0)
      let piece = [UInt8](repeating: 0, count: 5000)
      _ = send(connection, piece, piece.count, Int32(MSG_NOSIGNAL))
    }) { path in (path, Self.ask(path, limit: 1000)) }
    #expect(answer.1 == .failure(.malformed(path: answer.0, what: "the answer is larger than 1000 bytes")))
  }

  @Test func silenceTimesOut() throws {
    let answer = try Self.withServer({ connection in
      var byte: UInt8 = 0
      // Ends when the asking side has given up.
      while recv(connection, &byte, 1, 0) > 0 {}
    }) { Self.ask($0, timeout: 50) }
    #expect(answer == .failure(.timedOut))
  }

  @Test func nobodyListens() {
    #expect(Self.ask("/nowhere/godwit.sock") == .failure(.absent("/nowhere/godwit.sock")))
  }

  @Test func aPathThatIsTooLong() {
    let path = "/" + String(repeating: "x", count: 107)
    #expect(Self.ask(path) == .failure(.io(path: path, errno: ENAMETOOLONG)))
  }
}
