import Foundation
import Glibc
import Testing

/// A bus of D-Bus where a host has that of the system, and programs on it; gone with the test.
final class PrivateBus {
  let root = URL(fileURLWithPath: "/tmp/godwit-bus-\(UInt32.random(in: 0...UInt32.max))")
  private var processes: [Process] = []

  var address: String { "unix:path=\(root.path)/run/dbus/system_bus_socket" }

  init() throws {
    let place = root.appendingPathComponent("run/dbus")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let configuration = """
      <busconfig><type>session</type><listen>\(address)</listen><auth>EXTERNAL</auth>
      <policy context="default"><allow send_destination="*"/><allow receive_type="method_call"/><allow receive_type="signal"/>
      <allow receive_type="method_return"/><allow receive_type="error"/><allow own="*"/></policy></busconfig>
      """
    try Data(configuration.utf8).write(to: place.appendingPathComponent("bus.conf"))
    try start("/usr/bin/dbus-daemon", ["--config-file=\(place.path)/bus.conf", "--nofork", "--print-address=1"])
  }

  /// Starts a program with this bus as that of the session and of the system, and waits for its first line.
  @discardableResult
  func start(_ program: String, _ arguments: [String], saysSomething: Bool = true, input: Pipe? = nil) throws -> FileHandle {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["DBUS_SESSION_BUS_ADDRESS": address, "DBUS_SYSTEM_BUS_ADDRESS": address]
    ) { $1 }
    if let input { process.standardInput = input }
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    processes.append(process)
    if saysSomething { try #require(!pipe.fileHandleForReading.availableData.isEmpty, "\(program) ended") }
    return pipe.fileHandleForReading
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
