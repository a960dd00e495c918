import Foundation
import Glibc
import Telemetry
import Testing

@testable import Platform

/// The edge to D-Bus: one suite over a real bus with a real service, and over answers recorded with an independent client.
@Suite struct DBusTests {
  /// A dbus-daemon of the test's own, with a service that has all types (`dbus_service.py`). Gone with the test.
  final class Bus {
    let root: URL
    private let processes: [Process]

    static let programs = ["/usr/bin/dbus-daemon", "/usr/bin/busctl", "/usr/bin/python3"]
    static let canRun =
      programs.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
      && (try? output("/usr/bin/python3", ["-c", "import dbus, gi"])) != nil

    static func output(_ program: String, _ arguments: [String]) throws -> String {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
      return String(decoding: data, as: UTF8.self)
    }

    static func start(_ program: String, _ arguments: [String]) throws -> (Process, Pipe) {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      return (process, pipe)
    }

    init(at root: URL = URL(fileURLWithPath: "/tmp/godwit-bus-\(UInt32.random(in: 0...UInt32.max))")) throws {
      self.root = root
      let place = root.appendingPathComponent("run/dbus")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let configuration = """
        <busconfig><type>session</type><listen>unix:path=\(place.path)/system_bus_socket</listen><auth>EXTERNAL</auth>
        <policy context="default"><allow send_destination="*"/><allow receive_type="method_return"/>
        <allow receive_type="method_call"/><allow receive_type="error"/><allow receive_type="signal"/><allow own="*"/>
        <deny send_destination="godwit.Types" send_interface="godwit.Barred"/></policy></busconfig>
        """
      try configuration.write(to: place.appendingPathComponent("bus.conf"), atomically: true, encoding: .utf8)
      let (daemon, daemonOutput) = try Self.start(
        Self.programs[0], ["--config-file=\(place.path)/bus.conf", "--nofork", "--print-address=1"])
      // It says its address when it listens, the script its line when it has its name.
      _ = daemonOutput.fileHandleForReading.availableData
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Python/dbus_service.py")
        .path
      let (service, serviceOutput) = try Self.start(Self.programs[2], [script, "unix:path=\(place.path)/system_bus_socket"])
      _ = serviceOutput.fileHandleForReading.availableData
      processes = [service, daemon]
    }

    var address: String { "--address=unix:path=\(root.path)/run/dbus/system_bus_socket" }

    /// As busctl prints an answer.
    func busctl(_ arguments: [String]) throws -> String {
      try Self.output(Self.programs[1], [address, "--json=short", "call"] + arguments)
    }

    deinit {
      for process in processes {
        // A thread of the tests may have SIGTERM blocked, and its children with it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      try? FileManager.default.removeItem(at: root)
    }
  }

  private static let types = DBusObject("godwit.Types", "/godwit/Types", "godwit.Types")
  private static let dbus = DBusObject("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")

  /// The bus, or what it answered to busctl recorded into a tree.
  private func withBus(live: Bool, _ body: (any DBus) throws -> Void) throws {
    let bus = try Bus()
    if live { return try body(Host(root: bus.root.path, calls: LinuxCalls()).systemBus) }
    let name = "org.freedesktop.DBus.Properties"
    let properties = try bus.busctl(["godwit.Types", "/godwit/Types", name, "GetAll", "s", "godwit.Types"])
    let get = try bus.busctl(["godwit.Types", "/godwit/Types", name, "Get", "ss", "godwit.Types", "Text"])
    let structures = try bus.busctl(["godwit.Types", "/godwit/Types", "godwit.Types", "Structures"])
    let owned = try bus.busctl([
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", "godwit.Types",
    ])
    let root = try HostCallsTests.Recording.write([
      "dbus/godwit.Types/godwit/Types/\(name).GetAll godwit.Types": properties,
      "dbus/godwit.Types/godwit/Types/\(name).Get godwit.Types Text": get,
      "dbus/godwit.Types/godwit/Types/godwit.Types.Structures": structures,
      "dbus/godwit.Types/godwit/Types/godwit.Types.Nothing": #"{"type":"","data":[]}"#,
      "dbus/org.freedesktop.DBus/org/freedesktop/DBus/org.freedesktop.DBus.NameHasOwner godwit.Types": owned,
      "dbus/godwit.Types/godwit/Types/godwit.Barred.Any":
        #"{"error":"org.freedesktop.DBus.Error.AccessDenied","data":["Rejected send message"]}"#,
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    try body(Host(root: root.path).systemBus)
  }

  @Test(.enabled(if: Bus.canRun, "dbus-daemon, busctl or python3-dbus is missing"), arguments: [true, false])
  func allTypesAreRead(live: Bool) throws {
    try withBus(live: live) { bus in
      let all = try bus.properties(of: Self.types)
      #expect(all["Byte"]?.unsigned == 200)
      #expect(all["Boolean"]?.unsigned == 1)
      #expect(all["Int16"]?.number == -12345)
      #expect(all["UInt16"]?.unsigned == 54321)
      #expect(all["Int32"]?.number == -1_234_567_890)
      #expect(all["UInt32"]?.unsigned == 4_000_000_000)
      #expect(all["Int64"]?.number == -9_007_199_254_740_991)
      #expect(all["UInt64"]?.unsigned == 9_007_199_254_740_991)
      #expect(all["NotSet"]?.unsigned == .max)
      #expect(all["Double"]?.number == -0.1)
      #expect(all["Text"]?.text == "Grüße \"und\" \\ \n")
      #expect(all["Path"]?.text == "/godwit/Types")
      #expect(all["Signature"]?.text == "a{sv}")
      #expect(all["Bytes"]?.items.map { $0.unsigned } == [0, 127, 255])
      #expect(all["Texts"]?.items.map { $0.text } == ["a", "", "c"])
      #expect(all["Empty"]?.items.map { $0.unsigned } == [])
      #expect(all["Nested"]?["inner"]?["deep"]?.items.map { $0.number } == [1.5])
      #expect(all["Missing"] == nil)
      // As org.freedesktop.timesync1 and org.freedesktop.resolve1 have them.
      #expect(all["Statistics"]?.items.map { $0.unsigned } == [1, 2, 3])
      #expect(all["NTPMessage"]?.items.map { $0.number } == [0, 4, 4, 2, -24, 0.5, nil, 1_700_000_000_000_000, 0])
      #expect(all["NTPMessage"]?.item(6)?.items.map { $0.unsigned } == [10, 0, 0, 1])
    }
  }

  @Test(.enabled(if: Bus.canRun, "dbus-daemon, busctl or python3-dbus is missing"), arguments: [true, false])
  func methodsAndSingleProperties(live: Bool) throws {
    try withBus(live: live) { bus in
      #expect(try bus.property("Text", of: Self.types).text == "Grüße \"und\" \\ \n")
      let structures = try #require(try bus.call(Self.types, "Structures", []))
      #expect(structures.items.map { $0.item(0)?.text } == ["ssh.service", "cron.service"])
      #expect(structures.items.map { $0.item(1)?.unsigned } == [7, 8])
      #expect(structures.items.map { $0.item(2)?.text } == ["/a", "/b"])
      #expect(try bus.call(Self.dbus, "NameHasOwner", ["godwit.Types"])?.unsigned == 1)
      #expect(try bus.call(Self.types, "Nothing", []) == nil)
    }
  }

  @Test(.enabled(if: Bus.canRun, "dbus-daemon, busctl or python3-dbus is missing"), arguments: [true, false])
  func whatIsNotThereIsAbsent(live: Bool) throws {
    try withBus(live: live) { bus in
      for object in [DBusObject("no.such.service", "/a", "b.c"), DBusObject("godwit.Types", "/other", "b.c")] {
        #expect {
          _ = try bus.properties(of: object)
        } throws: { error in
          if case SensorError.absent = error { return true }
          return false
        }
      }
      // And the connection goes on.
      let text = try bus.property("Text", of: Self.types).text
      #expect(text?.isEmpty == false)
    }
  }

  @Test(.enabled(if: Bus.canRun, "dbus-daemon, busctl or python3-dbus is missing"), arguments: [true, false])
  func aRefusalIsTold(live: Bool) throws {
    try withBus(live: live) { bus in
      #expect {
        _ = try bus.call(Self.types.with(interface: "godwit.Barred"), "Any", [])
      } throws: { error in
        guard case SensorError.device("godwit.Types", let what) = error else { return false }
        return what.hasPrefix("Rejected send message")
      }
    }
  }

  @Test(.enabled(if: Bus.canRun, "dbus-daemon, busctl or python3-dbus is missing"))
  func aBusThatWasStartedAnewIsConnectedAgain() throws {
    var first: Bus? = try Bus()
    let root = try #require(first?.root)
    // The same place, so that the connection of the first bus is used with the second.
    let bus = Host(root: root.path, calls: LinuxCalls()).systemBus
    let before = try bus.call(Self.dbus, "GetId", [])?.text
    first = nil
    #expect(throws: SensorError.absent(root.path + "/run/dbus/system_bus_socket")) { try bus.call(Self.dbus, "GetId", []) }
    let second = try Bus(at: root)
    let after = try bus.call(Self.dbus, "GetId", [])?.text
    #expect(before?.count == 32 && after?.count == 32 && before != after)
    _ = second
  }

  @Test func aDamagedRecordingIsMalformed() throws {
    let place = "dbus/a.b/c/d.e."
    let root = try HostCallsTests.Recording.write([
      place + "text": "s \"x\"", place + "untyped": #"{"data":[1]}"#, place + "other": #"{"type":"u","data":["x"]}"#,
      place + "more": #"{"type":"u","data":[1,2]}"#, place + "fraction": #"{"type":"u","data":[1.5]}"#,
      place + "open": #"{"type":"(u","data":[[1]]}"#, place + "variant": #"{"type":"v","data":[{"type":"u","data":"x"}]}"#,
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    let bus = Host(root: root.path).systemBus
    for member in ["text", "untyped", "other", "more", "fraction", "open", "variant"] {
      #expect {
        _ = try bus.call(DBusObject("a.b", "/c", "d.e"), member, [])
      } throws: { error in
        if case SensorError.malformed("/\(place)\(member)", _) = error { return true }
        return false
      }
    }
    #expect(throws: SensorError.absent("a.b on D-Bus: none")) { try bus.call(DBusObject("a.b", "/c", "d.e"), "none", []) }
  }
}
