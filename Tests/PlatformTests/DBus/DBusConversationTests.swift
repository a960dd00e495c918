import Foundation
import Glibc
import Telemetry
import Testing

@testable import Platform

/// A connection, against another side that a test plays.
@Suite struct DBusConversationTests {
  static let object = DBusObject("a.b", "/c", "d.e")

  /// Reads to the end of what was sent so far, at least `count` bytes.
  static func take(_ connection: Int32, _ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while bytes.count < count {
      let got = recv(connection, &piece, piece.count, 0)
      guard got > 0 else { break }
      bytes += piece[0..<got]
    }
    return bytes
  }

  static func give(_ connection: Int32, _ bytes: [UInt8]) { _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

  /// Lets a peer in that greets, and answers a call by `answer`.
  static func call(greeting: String = "OK 1234\r\n", _ answer: @escaping @Sendable (Int32) -> Void) throws
    -> (value: DBusValue?, error: SensorError?)
  {
    try LocalSocketTests.withServer({ connection in
      _ = take(connection, 26)
      give(connection, Array(greeting.utf8))
      _ = take(connection, 16)
      answer(connection)
      // Not closed before the other side had enough.
      _ = take(connection, .max)
    }) { path in
      let bus = LinuxDBus(path: path, isBus: false)
      do throws(SensorError) {
        return (try bus.call(object, "F", []), nil)
      } catch {
        if case .malformed(_, let what) = error { return (nil, .malformed(path: "", what: what)) }
        if case .io(_, let code) = error { return (nil, .io(path: "", errno: code)) }
        if case .device(_, let what) = error { return (nil, .device("", what: what)) }
        return (nil, error)
      }
    }
  }

  @Test func anAnswerMayComeInPiecesBehindOthers() throws {
    let stray = DBusWireTests.answer("s", [1, 0, 0, 0, 0x78, 0], type: 4)
    let late = DBusWireTests.answer("y", [1], to: 200)
    let good = DBusWireTests.answer("y", [42])
    let result = try Self.call { connection in
      for byte in stray + late + good { Self.give(connection, [byte]) }
    }
    #expect(result.value?.unsigned == 42 && result.error == nil)
  }

  @Test func anErrorHasItsNameAndText() throws {
    // ERROR_NAME (4) before the other fields: what an error without it is, too.
    let text = "no\nway"
    let body = [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) + [0]
    let result = try Self.call { Self.give($0, DBusWireTests.answer("s", body, type: 3)) }
    #expect(result.error == .device("", what: "no way"))
  }

  @Test func refusalsOfTheOtherSide() throws {
    #expect(
      try Self.call(greeting: "REJECTED EXTERNAL\r\n") { _ in }.error
        == .device("", what: "permission denied: it does not accept this user"))
    #expect(
      try Self.call(greeting: String(repeating: "x", count: 600)) { _ in }.error
        == .malformed(path: "", what: "a greeting without end"))
  }

  @Test func nonsenseEndsTheConversation() throws {
    #expect(
      try Self.call { Self.give($0, Array("HTTP/1.1 400 Bad Request\r\n".utf8)) }.error
        == .malformed(path: "", what: "no message of D-Bus, or one that is too large"))
    #expect(
      try Self.call { Self.give($0, DBusWireTests.answer("z", [1])) }.error
        == .malformed(path: "", what: "a message that is not as its signature"))
    #expect(
      try Self.call { connection in
        for _ in 0..<PlatformLimits.dbusStrayMessages { Self.give(connection, DBusWireTests.answer("y", [1], to: 200)) }
      }.error == .malformed(path: "", what: "many messages and no answer"))
  }

  @Test func silenceTimesOut() throws {
    #expect(try Self.call { _ in }.error == .timedOut)
  }

  @Test func anEndInTheMiddleIsAnError() throws {
    let result = try Self.call { connection in
      Self.give(connection, Array(DBusWireTests.answer("y", [1]).dropLast()))
      shutdown(connection, Int32(SHUT_RDWR))
    }
    #expect(result.error == .io(path: "", errno: ECONNRESET))
  }

  @Test func nobodyListens() {
    #expect(throws: SensorError.absent("/nowhere/bus")) {
      try LinuxDBus(path: "/nowhere/bus", isBus: true).call(Self.object, "F", [])
    }
  }

  @Test(arguments: [
    ("org.freedesktop.DBus.Error.ServiceUnknown", SensorError.absent("a.b on D-Bus")),
    ("org.freedesktop.DBus.Error.UnknownProperty", .absent("a.b: UnknownProperty")),
    ("org.freedesktop.systemd1.NoSuchUnit", .absent("a.b: NoSuchUnit")),
    ("org.freedesktop.DBus.Error.NoReply", .timedOut),
    ("org.freedesktop.DBus.Error.AccessDenied", .device("a.b", what: "said")), ("", .device("a.b", what: "said")),
  ])
  func whatAnErrorMeans(name: String, meaning: SensorError) {
    #expect(SensorError.dbus("a.b", error: name, "said") == meaning)
  }

  @Test func whatAServiceSaysIsBounded() {
    guard case .device(_, let what) = SensorError.dbus("a", error: "b.c", String(repeating: "ü", count: 10_000)) else {
      Issue.record("another error")
      return
    }
    #expect(what.count == PlatformLimits.dbusErrorCharacters)
    #expect(SensorError.dbus("a", error: "b.c", nil) == .device("a", what: "b.c"))
  }
}
