import Foundation
import Glibc
import Telemetry
import Testing

@testable import Platform

/// Questions to services: one suite over real sockets and a recording.
@Suite struct ServiceRequestTests {
  private static let loopback = NetworkAddress(bytes: [127, 0, 0, 1])

  private static func request(
    to place: ServiceRequest.Place, limit: Int = 64, timeoutMilliseconds: Int = 5_000
  ) -> ServiceRequest {
    ServiceRequest("test.question", to: place, Array("who".utf8), limit: limit, timeoutMilliseconds: timeoutMilliseconds)
  }

  private static func outcome(_ calls: any HostCalls, _ request: ServiceRequest) -> Result<[UInt8], SensorError> {
    do throws(SensorError) { return .success(try calls.ask(request)) } catch { return .failure(error) }
  }

  /// A UDP socket of the loopback, and its port.
  private static func port() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
    }
    try #require(isBound)
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  private static func recorded(_ files: [String: String]) throws -> (URL, any HostCalls) {
    let root = try HostCallsTests.Recording.write(files)
    return (root, Host(root: root.path).calls)
  }

  @Test func aPacketIsAnsweredByOne() throws {
    let (descriptor, port) = try Self.port()
    let place = ServiceRequest.Place.port(try #require(Self.loopback), port)
    Foundation.Thread.detachNewThread {
      var bytes = [UInt8](repeating: 0, count: 64)
      var from = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutableBytes(of: &from) { address in
        let pointer = address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
        let count = recvfrom(descriptor, &bytes, bytes.count, 0, pointer, &size)
        _ = sendto(descriptor, Array(bytes[0..<max(count, 0)].reversed()), max(count, 0), 0, pointer, size)
      }
      close(descriptor)
    }
    #expect(Self.outcome(LinuxCalls(), Self.request(to: place)) == .success(Array("ohw".utf8)))
    let (root, calls) = try Self.recorded(["services/test.question": "ohw"])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(Self.outcome(calls, Self.request(to: place)) == .success(Array("ohw".utf8)))
  }

  @Test func aSocketIsReadToItsEnd() throws {
    let answer = try LocalSocketTests.withServer({ connection in
      var request = [UInt8](repeating: 0, count: 64)
      let count = recv(connection, &request, request.count, 0)
      _ = send(connection, Array(request[0..<max(count, 0)].reversed()), max(count, 0), 0)
    }) { Self.outcome(LinuxCalls(), Self.request(to: .socket($0))) }
    #expect(answer == .success(Array("ohw".utf8)))
    let (root, calls) = try Self.recorded(["services/test.question.hex": "# three\n6F 68\n77"])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(Self.outcome(calls, Self.request(to: .socket("/run/x"))) == .success(Array("ohw".utf8)))
  }

  @Test func whereNobodyListensItIsAbsent() throws {
    let (descriptor, port) = try Self.port()
    close(descriptor)
    let place = ServiceRequest.Place.port(try #require(Self.loopback), port)
    #expect(Self.outcome(LinuxCalls(), Self.request(to: place)) == .failure(.absent("127.0.0.1 port \(port)")))
    #expect(Self.outcome(LinuxCalls(), Self.request(to: .socket("/no/such"))) == .failure(.absent("/no/such")))
    let calls = Host(root: "/no/such/root").calls
    #expect(Self.outcome(calls, Self.request(to: place)) == .failure(.absent("/services/test.question.hex")))
  }

  @Test func silenceTimesOut() throws {
    let (descriptor, port) = try Self.port()
    defer { close(descriptor) }
    let place = ServiceRequest.Place.port(try #require(Self.loopback), port)
    #expect(Self.outcome(LinuxCalls(), Self.request(to: place, timeoutMilliseconds: 20)) == .failure(.timedOut))
    let (root, calls) = try Self.recorded(["services/test.question": ""])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(Self.outcome(calls, Self.request(to: place)) == .failure(.timedOut))
  }

  @Test func anAnswerThatIsTooLargeIsRefused() throws {
    let answer = try LocalSocketTests.withServer({ connection in
      var request = [UInt8](repeating: 0, count: 64)
      _ = recv(connection, &request, request.count, 0)
      _ = send(connection, [UInt8](repeating: 1, count: 65), 65, Int32(MSG_NOSIGNAL))
    }) { path in (path, Self.outcome(LinuxCalls(), Self.request(to: .socket(path)))) }
    let what = "the answer is larger than 64 bytes"
    #expect(answer.1 == .failure(.malformed(path: answer.0, what: what)))
    let (root, calls) = try Self.recorded(["services/test.question": String(repeating: "x", count: 65)])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(Self.outcome(calls, Self.request(to: .socket("/run/x"))) == .failure(.malformed(path: "test.question", what: what)))
  }
}
