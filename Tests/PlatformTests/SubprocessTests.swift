import Foundation
import Glibc
import Testing

@testable import Platform

/// Real programs, with what can go wrong with them.
@Suite struct SubprocessTests {
  private func shell(_ script: String, milliseconds: Int = 20_000, bytes: Int = 65_536) throws -> Subprocess.Outcome {
    try Subprocess.run("/bin/sh", ["-c", script], timeoutMilliseconds: milliseconds, outputBytes: bytes)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func itsOutputsAndItsStatusComeBack() throws {
    let outcome = try shell("echo out; echo err >&2; exit 7")
    #expect(outcome.end == .exited(7))
    #expect(text(outcome.output) == "out\n" && text(outcome.errors) == "err\n" && !outcome.isCut)
    #expect(try shell("kill -TERM $$").end == .signalled(SIGTERM))
    #expect(try shell("true").end == .exited(0))
  }

  @Test func noShellLooksAtArguments() throws {
    let odd = ["$(id)", "a b", "*", "", "é;|&", "-n"]
    let outcome = try Subprocess.run(
      "/usr/bin/printf", ["[%s]"] + odd, timeoutMilliseconds: 20_000, outputBytes: 1_000)
    #expect(text(outcome.output) == odd.map { "[\($0)]" }.joined())
  }

  @Test func whatHangsIsKilledWithWhatItStarted() throws {
    let mark = "\(UInt32.random(in: 100_000...999_999))"
    let begun = Date()
    let outcome = try shell("echo begun; sleep 3\(mark) & sleep 3\(mark); echo never", milliseconds: 300)
    #expect(outcome.end == .timedOut && text(outcome.output) == "begun\n")
    // Bounds a broken run only.
    #expect(Date().timeIntervalSince(begun) < 20)
    let left = try Subprocess.run("/usr/bin/pgrep", ["-f", "sleep 3\(mark)"], timeoutMilliseconds: 20_000, outputBytes: 1_000)
    #expect(left.end == .exited(1) && left.output.isEmpty, "\(text(left.output))")
  }

  /// A child that is left behind holds the pipe open: nobody waits for it.
  @Test func whatIsLeftBehindIsNotWaitedFor() throws {
    let begun = Date()
    let outcome = try shell("sleep 600 & echo done", milliseconds: 300_000)
    #expect(outcome.end == .exited(0) && text(outcome.output) == "done\n")
    #expect(Date().timeIntervalSince(begun) < 60)
  }

  @Test func muchOutputIsCutAndStillReadToItsEnd() throws {
    let outcome = try shell("head -c 3000000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3", bytes: 1_000)
    #expect(outcome.end == .exited(3) && outcome.isCut)
    #expect(outcome.output.count == 1_000 && outcome.errors.count == 1_000)
    #expect(try shell("head -c 1000 /dev/zero", bytes: 1_000).isCut == false)
  }

  @Test func itGetsNothingOfOurs() throws {
    setenv("GODWIT_SECRET", "seen", 1)
    defer { unsetenv("GODWIT_SECRET") }
    // Without close-on-exec, as libraries open them.
    let descriptor = open("/dev/null", O_RDWR)
    defer { close(descriptor) }
    let outcome = try shell("env; pwd; ls /proc/self/fd | wc -w; cat; cat /proc/self/status | grep SigIgn")
    let lines = text(outcome.output).split(separator: "\n").map(String.init)
    #expect(!text(outcome.output).contains("GODWIT_SECRET"))
    // What the shell itself adds is PWD and OLDPWD, SHLVL and _.
    let names = lines.compactMap { $0.contains("=") ? $0.split(separator: "=").first.map(String.init) : nil }
    #expect(Set(names).isSubset(of: ["LANG", "PATH", "PWD", "OLDPWD", "SHLVL", "_"]))
    #expect(lines.contains("/"))
    // 0, 1, 2 and the folder that ls itself reads.
    #expect(lines.contains("4"), "\(lines)")
    // The C library keeps 32 and 33 for itself.
    let ignored = lines.last.flatMap { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
    #expect(ignored.map { $0 & 0x7FFF_FFFF } == 0, "\(lines)")
  }

  @Test func whatCannotBeRunSaysWhy() throws {
    #expect(throws: SubprocessFailure.absent("/no/such/program")) {
      try Subprocess.run("/no/such/program", [], timeoutMilliseconds: 1_000, outputBytes: 10)
    }
    #expect(throws: SubprocessFailure.barred("/etc/passwd")) {
      try Subprocess.run("/etc/passwd", [], timeoutMilliseconds: 1_000, outputBytes: 10)
    }
    let script = NSTemporaryDirectory() + "/godwit-script-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: script) }
    for (text, why) in [
      ("#!/no/such/shell\n", "names a program behind #! that is not there"),
      ("echo 1\n", "is no program of this machine, and no script that begins with #!"),
    ] {
      try text.write(toFile: script, atomically: false, encoding: .utf8)
      #expect(chmod(script, 0o700) == 0)
      #expect(throws: SubprocessFailure.unfit(script, why: why)) {
        try Subprocess.run(script, [], timeoutMilliseconds: 1_000, outputBytes: 10)
      }
    }
  }

  /// A tracer takes the place of a driver: what it holds on to can be killed, but its parent cannot reap it.
  @Test func whatDoesNotDieIsNotStartedAgainBesideItself() throws {
    let place = NSTemporaryDirectory() + "/godwit-hangs-\(UUID().uuidString)"
    let (mark, release) = (place + ".mark", place + ".release")
    defer { for path in [mark, release] { try? FileManager.default.removeItem(atPath: path) } }
    let script = """
      import ctypes, os, sys, time
      mark, release = sys.argv[1:3]
      if os.path.exists(release): sys.exit(7)
      libc = ctypes.CDLL(None)
      libc.prctl(0x59616d61, ctypes.c_ulong(2**64 - 1), 0, 0, 0)  # PR_SET_PTRACER_ANY
      held = os.getpid()
      if os.fork() == 0:
          os.setsid()
          answer = libc.ptrace(0x4206, held, None, None)  # PTRACE_SEIZE
          open(mark, "w").write(str(answer))
          for _ in range(12000):
              if os.path.exists(release): break
              time.sleep(0.01)
          os._exit(0)
      time.sleep(600)
      """
    func run() throws -> Subprocess.Outcome {
      try Subprocess.run(
        "/usr/bin/python3", ["-c", script, mark, release], timeoutMilliseconds: 5_000, outputBytes: 1_000)
    }
    #expect(try run().end == .timedOut)
    guard FileManager.default.contents(atPath: mark) == Data("0".utf8) else {
      print("no process may be traced here: what hangs in the kernel cannot be shown")
      return
    }
    #expect(throws: SubprocessFailure.hangs("/usr/bin/python3")) { try run() }
    #expect(try shell("exit 3").end == .exited(3))
    try Data().write(to: URL(fileURLWithPath: release))
    var end: Subprocess.End?
    for _ in 0..<2_000 where end == nil {
      end = try? run().end
      Platform.Thread.sleep(milliseconds: 10)
    }
    #expect(end == .exited(7))
  }

  @Test func whatRunsAtTheEndOfThisProcessEndsWithIt() throws {
    let mark = "6000.\(UInt32.random(in: 1_000_000...9_999_999))"
    let outcomes = Failures()
    let isStarted = Platform.Thread.start(name: "run") {
      let outcome = try? Subprocess.run("/bin/sleep", [mark], timeoutMilliseconds: 300_000, outputBytes: 10)
      outcomes.add(outcome.map { "\($0.end)" } ?? "not run")
    }
    try #require(isStarted)
    var process: Int32?
    for _ in 0..<2_000 where process == nil {
      let found = try Subprocess.run(
        "/usr/bin/pgrep", ["-xf", "/bin/sleep \(mark)"], timeoutMilliseconds: 20_000, outputBytes: 100)
      process = Int32(text(found.output).split(separator: "\n").first ?? "")
    }
    let wanted = try #require(process)
    Subprocess.endRunning { $0 == wanted }
    for _ in 0..<2_000 where outcomes.all.isEmpty { Platform.Thread.sleep(milliseconds: 10) }
    #expect(outcomes.all == ["signalled(9)"])
  }

  @Test func whatIsRunGoesFirstWhenMemoryRunsOut() throws {
    let script = """
      for i in $(seq 1000); do read score < /proc/self/oom_score_adj; [ "$score" = 500 ] && exit 7; sleep 0.01; done
      """
    #expect(try shell(script, milliseconds: 60_000).end == .exited(7))
  }

  @Test func manyAtOnceFromManyThreads() throws {
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: 40) { index in
      let outcome = try? Subprocess.run(
        "/bin/sh", ["-c", "echo \(index); exit \(index)"], timeoutMilliseconds: 60_000, outputBytes: 100)
      if outcome?.end != .exited(Int32(index)) || outcome?.output != Array("\(index)\n".utf8) { failures.add("\(index)") }
    }
    #expect(failures.all.isEmpty)
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    for _ in 0..<20 { _ = try shell("true") }
    // Others of these tests run beside this one.
    #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count < descriptors + 20)
  }

  // MARK: Children that are talked to

  @Test func packetsGoThereAndBackAndTheEndIsSeen() throws {
    // A program in Python, for no shell speaks packets: it answers each and says goodbye into a file.
    let mark = NSTemporaryDirectory() + "/godwit-packets-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: mark) }
    let script = """
      import socket
      s = socket.socket(fileno=0)
      while True:
          p = s.recv(65536)
          if not p: break
          s.send(b"got " + p)
      open("\(mark)", "w").write("end")
      """
    let child = try PacketChild(path: "/usr/bin/python3", arguments: ["-c", script])
    #expect(child.send(Array("one".utf8)) && child.send(Array("two".utf8)))
    var answers: [String] = []
    let deadline = Date().addingTimeInterval(60)
    while answers.count < 2, Date() < deadline {
      if let packet = child.receive() { answers.append(text(packet)) } else { Platform.Thread.sleep(milliseconds: 5) }
    }
    #expect(answers == ["got one", "got two"])
    // What a service manager sends to all of a service does not end it.
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGABRT] { kill(child.process, signal) }
    #expect(!child.hasEnded)
    #expect(child.send(Array("three".utf8)))
    while answers.count < 3, Date() < deadline {
      if let packet = child.receive() { answers.append(text(packet)) } else { Platform.Thread.sleep(milliseconds: 5) }
    }
    #expect(answers.last == "got three")
    child.end()
    while !child.hasEnded, Date() < deadline { Platform.Thread.sleep(milliseconds: 5) }
    #expect(child.hasEnded)
    #expect(FileManager.default.contents(atPath: mark) == Data("end".utf8))
  }
}

@Suite struct PacketParentTests {
  /// A guard whose lines are all safe has nothing to look after: were this a wait of no time, it would take a whole core from then on.
  @Test func withoutATimeItWaitsUntilSomethingComes() {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    let (parent, child) = (ends[0], ends[1])
    defer { close(child) }
    let isStarted = Platform.Thread.start(name: "parent") {
      Platform.Thread.sleep(milliseconds: 100)
      _ = send(parent, "one", 3, 0)
      Platform.Thread.sleep(milliseconds: 100)
      close(parent)
    }
    #expect(isStarted)
    guard case .packet(let packet) = PacketParent.receive(from: child, milliseconds: -1) else {
      Issue.record("it did not wait for the packet")
      return
    }
    #expect(packet == Array("one".utf8))
    guard case .end = PacketParent.receive(from: child, milliseconds: -1) else {
      Issue.record("it did not wait for the end")
      return
    }
  }
}

/// What went wrong on any thread.
private final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []

  func add(_ text: String) { lock.withLock { texts.append(text) } }
  var all: [String] { lock.withLock { texts } }
}
