import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Agent

/// The control socket and the word to systemd, on real sockets.
@Suite struct ControlTests {
  /// A server with its loop on a thread of its own; the rest of the test is its clients.
  private final class Served: Sendable {
    let path: String
    let folder: TemporaryFolder
    private let ended = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)
    private let expiring = Atomic<Bool>(false)
    private let bell = Bell()

    init(answer: String) throws {
      folder = try TemporaryFolder()
      path = folder.path(of: "control.sock")
      let started = Platform.Thread.start(name: "control") { [self] in
        serve(answer)
        ended.store(true, ordering: .releasing)
      }
      guard started else { throw ChildProcess.Failure(description: "no thread") }
      eventually("the socket") { FileManager.default.fileExists(atPath: path) }
    }

    private func serve(_ answer: String) {
      guard let loop = try? EventLoop(),
        let server = try? ControlServer(
          path: path, loop: loop, answer: { Array("\($0): \(answer)".utf8) })
      else { return }
      try? loop.watch(bell.descriptor) { [self] _ in
        bell.silence()
        if expiring.exchange(false, ordering: .relaxed) { server.expire(now: .max) }
        if stopping.load(ordering: .relaxed) { loop.stop() }
      }
      loop.run()
      server.close()
    }

    func expire() {
      expiring.store(true, ordering: .relaxed)
      bell.ring()
    }

    func stop() {
      stopping.store(true, ordering: .relaxed)
      bell.ring()
      eventually("the server's end") { ended.load(ordering: .acquiring) }
    }

    func ask(_ request: String) throws(SensorError) -> String {
      String(
        decoding: try LocalSocket.ask(path: path, Array(request.utf8), timeoutMilliseconds: 20_000, limit: 8 << 20), as: UTF8.self
      )
    }
  }

  /// Connections that are held open, by a child.
  private func hold(_ count: Int, _ text: String, to served: Served) throws -> ChildProcess {
    let code = """
      import socket, sys, time
      held = []
      for _ in range(\(count)):
          one = socket.socket(socket.AF_UNIX); one.connect(sys.argv[1]); one.sendall(sys.argv[2].encode()); held.append(one)
      print("held", flush=True)
      time.sleep(600)
      """
    let child = try ChildProcess("python3", ["-c", code, served.path, text], name: "holder", in: served.folder)
    eventually("the connections") { child.output.contains("held") }
    return child
  }

  @Test func aRequestIsAnswered() throws {
    let served = try Served(answer: String(repeating: "x", count: 3_000_000))
    defer { served.stop() }
    // Larger than a socket takes at once: written as the client reads.
    let answer = try served.ask("status\n")
    #expect(answer.hasPrefix("status: xxx") && answer.utf8.count == 3_000_008)
  }

  @Test func aRequestThatIsTooLongIsSentAway() throws {
    let served = try Served(answer: "ok")
    defer { served.stop() }
    let answer = try? served.ask(String(repeating: "y", count: 10_000) + "\n")
    #expect(answer ?? "" == "")
    #expect(try served.ask("status\n") == "status: ok")
  }

  @Test func slowClientsHoldNobodyUpAndAreSentAway() throws {
    let served = try Served(answer: "ok")
    defer { served.stop() }
    let few = try hold(AgentLimits.controlClients - 1, "sta", to: served)
    #expect(try served.ask("status\n") == "status: ok")
    let more = try hold(2, "sta", to: served)
    served.expire()
    eventually("room again") { (try? served.ask("status\n")) == "status: ok" }
    few.kill()
    more.kill()
  }

  @Test func theSocketIsRemovedAtTheEnd() throws {
    let served = try Served(answer: "ok")
    served.stop()
    #expect(!FileManager.default.fileExists(atPath: served.path))
  }

  @Test func aStaleSocketIsReplaced() throws {
    let folder = try TemporaryFolder()
    let path = folder.path(of: "control.sock")
    let code = "import socket, sys; one = socket.socket(socket.AF_UNIX); one.bind(sys.argv[1])"
    let answer = try ChildProcess.run("python3", ["-c", code, path], in: folder)
    try #require(answer.end == .exited(0))
    let loop = try EventLoop()
    let server = try ControlServer(path: path, loop: loop) { _ in [] }
    server.close()
  }

  @Test(arguments: [false, true])
  func systemdHears(abstract: Bool) throws {
    let folder = try TemporaryFolder()
    let name = abstract ? "@godwit-test-\(UUID().uuidString)" : folder.path(of: "notify.sock")
    let code = """
      import socket, sys
      name = sys.argv[1]
      one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      one.bind("\\0" + name[1:] if name[0] == "@" else name)
      print("bound", flush=True)
      for _ in range(2):
          print(repr(one.recv(4096)), flush=True)
      """
    let manager = try ChildProcess("python3", ["-c", code, name], name: "manager", in: folder)
    eventually("the socket") { manager.output.contains("bound") }
    let notifier = SystemdNotifier(environment: [
      "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "\(getpid())",
    ])
    #expect(notifier.watchdogMicroseconds == 3_000_000)
    notifier.send("READY=1\nSTATUS=node edge-01")
    notifier.send("WATCHDOG=1")
    #expect(manager.waitForExit(within: 20) == .exited(0))
    #expect(manager.output.hasSuffix("b'READY=1\\nSTATUS=node edge-01'\nb'WATCHDOG=1'\n"))
  }

  @Test func withoutSystemdNothingHappens() {
    let notifier = SystemdNotifier(environment: [:])
    #expect(notifier.watchdogMicroseconds == nil)
    notifier.send("READY=1")
    let other = SystemdNotifier(environment: ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"])
    #expect(other.watchdogMicroseconds == nil)
    SystemdNotifier(environment: ["NOTIFY_SOCKET": "/nowhere/" + String(repeating: "x", count: 300)]).send("READY=1")
  }
}
