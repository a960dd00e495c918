import Foundation
import Glibc
import Telemetry
import Testing

@testable import Platform

/// One suite over pages that a service gives over a Unix socket and pages that are recorded: the same bytes come over both.
@Suite struct LocalHTTPTests {
  /// What came of a page.
  private struct Page: Equatable {
    var status: Int
    var body: String
  }

  /// Asks for `/list?all=true` where `answer` is what the service says, nothing being silence.
  private static func ask(
    live: Bool, _ answer: [UInt8], milliseconds: Int = 20_000, most: Int = .max
  ) throws -> Result<Page, SensorError> {
    func ask(_ calls: any HostCalls, _ socket: String) -> Result<Page, SensorError> {
      var body: [UInt8] = []
      do throws(SensorError) {
        let status = try calls.page("/list?all=true", of: socket, timeoutMilliseconds: milliseconds) { piece in
          body += piece
          return body.count < most
        }
        return .success(Page(status: status, body: String(decoding: body, as: UTF8.self)))
      } catch {
        return .failure(Self.withoutPath(error))
      }
    }
    guard live else {
      let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-http-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: root) }
      let folder = root.appendingPathComponent(".host/http/\\057run\\057engine.sock")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(answer).write(to: folder.appendingPathComponent("\\057list?all=true"))
      return ask(Host(root: root.path).calls, "/run/engine.sock")
    }
    return try LocalSocketTests.withServer({ connection in
      var request: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 256)
      while !String(decoding: request, as: UTF8.self).hasSuffix("\r\n\r\n") {
        let count = recv(connection, &piece, piece.count, 0)
        guard count > 0 else { return }
        request += piece[0..<count]
      }
      guard String(decoding: request, as: UTF8.self).hasPrefix("GET /list?all=true HTTP/1.1\r\nHost: localhost\r\n") else {
        return
      }
      // In pieces that end anywhere.
      for start in stride(from: 0, to: answer.count, by: 777) {
        let part = Array(answer[start..<min(start + 777, answer.count)])
        guard send(connection, part, part.count, Int32(MSG_NOSIGNAL)) == part.count else { return }
      }
      guard answer.isEmpty else { return }
      while recv(connection, &piece, 1, 0) > 0 {}
    }) { ask(LinuxCalls(), $0) }
  }

  private static func withoutPath(_ error: SensorError) -> SensorError {
    switch error {
    case .malformed(_, let what): .malformed(path: "", what: what)
    case .absent: .absent("")
    default: error
    }
  }

  private static let text = String(repeating: "A list of containers. ", count: 4_000)

  /// The three ways of RFC 9112, 6.3, to tell where a body ends.
  private static func framed(_ text: String) -> [[UInt8]] {
    let bytes = Array(text.utf8)
    var chunks: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 1_500) {
      let chunk = bytes[start..<min(start + 1_500, bytes.count)]
      chunks += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
    }
    return [
      Array("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8) + bytes,
      Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8) + chunks + Array("0\r\n\r\n".utf8),
      Array("HTTP/1.0 200 OK\r\n\r\n".utf8) + bytes,
    ]
  }

  @Test(arguments: [true, false])
  func aBodyIsTheSameHoweverItIsFramed(live: Bool) throws {
    for answer in Self.framed(Self.text) {
      #expect(try Self.ask(live: live, answer) == .success(Page(status: 200, body: Self.text)))
    }
  }

  @Test(arguments: [true, false])
  func aTakerThatHasEnoughGetsNoMore(live: Bool) throws {
    for answer in Self.framed(Self.text) {
      let page = try Self.ask(live: live, answer, most: 10).get()
      #expect(page.status == 200)
      #expect((10..<Self.text.utf8.count).contains(page.body.utf8.count))
    }
  }

  @Test(arguments: [true, false])
  func nothingIsGivenOfAnError(live: Bool) throws {
    let answer = Array("HTTP/1.1 404 Not Found\r\nContent-Length: 30\r\n\r\n{\"message\":\"No such container\"}".utf8)
    #expect(try Self.ask(live: live, answer) == .success(Page(status: 404, body: "")))
  }

  @Test(arguments: [true, false])
  func whatBreaksOffOrIsNoHTTPIsMalformed(live: Bool) throws {
    for text in [
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
      "HTTP/1.1 20",
    ] {
      let broken = SensorError.malformed(path: "", what: NetworkFailure.closed.description)
      #expect(try Self.ask(live: live, Array(text.utf8)) == .failure(broken))
    }
    for text in ["220 mail.example ESMTP\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"] {
      guard case .failure(.malformed) = try Self.ask(live: live, Array(text.utf8)) else {
        Issue.record("\(text) is taken")
        continue
      }
    }
  }

  @Test(arguments: [true, false])
  func silenceTimesOut(live: Bool) throws {
    #expect(try Self.ask(live: live, [], milliseconds: 50) == .failure(.timedOut))
  }

  @Test func nobodyListens() {
    for calls in [LinuxCalls() as any HostCalls, Host(root: "/no/such/root").calls] {
      #expect(throws: SensorError.absent("/no/such.sock")) {
        try calls.page("/list", of: "/no/such.sock", timeoutMilliseconds: 1_000) { _ in true }
      }
    }
  }

  @Test func aPageThatIsNotRecordedIsNotFound() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-http-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent(".host/http/\\057run\\057engine.sock")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("!".utf8).write(to: folder.appendingPathComponent("\\057barred"))
    let calls = Host(root: root.path).calls
    #expect(try calls.page("/list", of: "/run/engine.sock", timeoutMilliseconds: 1_000) { _ in true } == 404)
    #expect(throws: SensorError.io(path: "/run/engine.sock", errno: EACCES)) {
      try calls.page("/barred", of: "/run/engine.sock", timeoutMilliseconds: 1_000) { _ in true }
    }
  }

  /// A service that never stops.
  @Test func anAnswerHasABoundInBytes() throws {
    let result = try LocalSocketTests.withServer({ connection in
      let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
      _ = send(connection, head, head.count, Int32(MSG_NOSIGNAL))
      let part = [UInt8](repeating: 0x20, count: 65_536)
      while send(connection, part, part.count, Int32(MSG_NOSIGNAL)) > 0 {}
    }) { path -> (path: String, error: SensorError?) in
      do throws(SensorError) {
        _ = try LinuxCalls().page("/list", of: path, timeoutMilliseconds: 60_000) { _ in true }
        return (path, nil)
      } catch {
        return (path, error)
      }
    }
    let what = "the answer is larger than \(PlatformLimits.localHTTPBytes) bytes"
    #expect(result.error == .malformed(path: result.path, what: what))
  }
}
