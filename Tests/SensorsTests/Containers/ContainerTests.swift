import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// The rules that case folders do not show.
@Suite struct ContainerTests {
  private static let id = String(repeating: "0123456789abcdef", count: 4)

  @Test(arguments: [
    ("docker-ID.scope", "/system.slice", "docker"), ("ID", "/docker", "docker"), ("libpod-ID.scope", "/machine.slice", "podman"),
    ("libpod-ID", "/libpod_parent", "podman"), ("libpod-payload-ID", "/system.slice/app.service", "podman"),
    ("libpod-ID.scope", "/user.slice/user-1000.slice/user@1000.service/user.slice", "podman"),
    ("cri-containerd-ID.scope", "/kubepods.slice/x.slice", "containerd"), ("crio-ID.scope", "/kubepods.slice/x.slice", "cri-o"),
    ("nerdctl-ID.scope", "/system.slice", "containerd"), ("ID", "/kubepods/burstable/pod1", "kubernetes"),
    ("ID", "/custom", "other"),
  ])
  func aContainerIsKnownByItsControlGroup(name: String, parent: String, engine: String) throws {
    let name = name.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: Self.id)
    let found = try #require(CgroupContainer(name, in: parent))
    #expect(found.id == Self.id && found.engine == engine && found.path == parent + "/" + name)
  }

  @Test(arguments: [
    ("lxc.payload.dns", "", "dns", "lxc"), ("web", "/lxc", "web", "lxc"),
    ("systemd-nspawn@my\\x2dbox.service", "/machine.slice", "my-box", "nspawn"),
    ("systemd-nspawn@a\\x0ab\\xzz.service", "/machine.slice", "ab\\xzz", "nspawn"),
  ])
  func aNameIsTakenWithoutEscapes(name: String, parent: String, id: String, engine: String) throws {
    let found = try #require(CgroupContainer(name, in: parent))
    #expect(found.id == id && found.engine == engine)
  }

  @Test(arguments: [
    "libpod-conmon-ID.scope", "crio-conmon-ID.scope", "docker.service", "docker-ID0.scope", "lxc.monitor.dns", "lxc.payload.",
    "machine-qemu\\x2d1\\x2dvm.scope", "conmon", "user@1000.service",
  ])
  func othersAreNone(name: String) {
    let name = name.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: Self.id)
    #expect(CgroupContainer(name, in: "/system.slice") == nil)
  }

  @Test func elementsOfAListAreTakenOneByOne() {
    let list = #"[ {"a":"]}\"[{"} , {"b":[[],{"c":1}]},7,"x",{}]{"after":1}"#
    for size in 1...list.utf8.count {
      var elements = JSONElements()
      var found: [JSONValue] = []
      var rest = Array(list.utf8)[...]
      while !rest.isEmpty,
        elements.take(
          Array(rest.prefix(size)),
          {
            found.append($0); return true
          })
      {
        rest = rest.dropFirst(size)
      }
      #expect(found.count == 3 && elements.hasBegun && elements.isWhole && elements.skipped == 0)
      #expect(found.first?["a"]?.text == #"]}"[{"#)
    }
  }

  @Test func anElementThatIsTooLargeIsLeftOut() {
    let large = #"{"a":"\#(String(repeating: "x", count: ContainerLimits.elementBytes))"}"#
    var elements = JSONElements()
    var found = 0
    _ = elements.take(Array("[\(large),{\"b\":1},{]".utf8)) { _ in
      found += 1
      return true
    }
    #expect(found == 1 && elements.skipped == 2)
  }

  /// Serves a list of any length; counts what it was asked.
  private final class Engine: AbsentCalls {
    let asked = Mutex<[String]>([])
    let list: String

    init(list: String) { self.list = list }

    func page(
      _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
    ) throws(SensorError) -> Int {
      asked.withLock { $0.append(target) }
      guard target == "/containers/json?all=true" else { return 404 }
      _ = try take(Array(list.utf8))
      return 200
    }
  }

  private static func element(_ number: Int, state: String = "running") -> String {
    let digits = String(number)
    let id = String(repeating: "0", count: 64 - digits.count) + digits
    return #"{"Id":"\#(id)","Names":["/app-\#(number)"],"Image":"app","State":"\#(state)","Status":"Up"}"#
  }

  @Test func aListThatIsTooLongIsCutAndSaid() {
    let list = "[" + (0..<ContainerLimits.listed + 5).map { Self.element($0) }.joined(separator: ",") + "]"
    let calls = Engine(list: list)
    var engine = ContainerEngine(socket: "/run/docker.sock", resolved: "/run/docker.sock")
    let end = SystemClock.bootMilliseconds + 60_000
    engine.ask(Host(root: "/nowhere", calls: calls), restarted: [], until: end, at: 1) { $0 != "app-7" }
    #expect(engine.containers.count == ContainerLimits.listed)
    #expect(engine.isUp == true)
    #expect(engine.problem == .device("/run/docker.sock", what: "more than 1000 containers: the rest is left out"))
  }

  @Test func anEngineIsAskedAgainWhenSomethingChangedOrItIsTime() {
    let minute: Int64 = 60_000_000_000
    for (name, patience) in [("docker", minute), ("podman", 10 * minute)] {
      var engine = ContainerEngine(socket: "/run/\(name).sock", resolved: "/run/\(name).sock")
      #expect(engine.isDue(hasChanged: false, every: minute, at: 0))
      let host = Host(root: "/nowhere", calls: Engine(list: "[\(Self.element(1))]"))
      engine.ask(host, restarted: [], until: SystemClock.bootMilliseconds + 60_000, at: 0) { _ in true }
      #expect(!engine.isDue(hasChanged: false, every: minute, at: patience - 1))
      #expect(engine.isDue(hasChanged: true, every: minute, at: 1))
      #expect(engine.isDue(hasChanged: false, every: minute, at: patience))
      #expect(engine.isFresh(every: minute, at: 3 * patience) && !engine.isFresh(every: minute, at: 3 * patience + 1))
    }
  }

  /// Podman behind Docker's socket, Docker behind one of any name, and one that says nothing of itself.
  @Test(arguments: [
    ("/run/docker.sock", "podman-v1/input/.host/http/\\057run\\057podman\\057podman.sock/\\057version", "podman"),
    ("/run/podman-like.sock", "docker/input/.host/http/\\057var\\057run\\057docker.sock/\\057version", "docker"),
    ("/run/podman-like.sock", "", "podman"), ("/run/any.sock", "", "docker"),
  ])
  func anEngineSaysWhatItIs(socket: String, recorded: String, name: String) throws {
    final class Named: AbsentCalls {
      let version: String
      let asked = Mutex(0)

      init(version: String) { self.version = version }

      func page(
        _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
      ) throws(SensorError) -> Int {
        if target == "/version" {
          asked.withLock { $0 += 1 }
          if version.isEmpty { return 404 }
          _ = try take(Array(version.utf8))
        } else {
          _ = try take(Array("[]".utf8))
        }
        return 200
      }
    }
    var version = ""
    if !recorded.isEmpty {
      let url = CaseTests.folder.appendingPathComponent("containers/" + recorded)
      version = try #require(String(contentsOf: url, encoding: .utf8).components(separatedBy: "\r\n\r\n").last)
    }
    let calls = Named(version: version)
    var engine = ContainerEngine(socket: socket, resolved: socket)
    for now in [Int64(1), 2] {
      engine.ask(Host(root: "/nowhere", calls: calls), restarted: [], until: SystemClock.bootMilliseconds + 60_000, at: now) {
        _ in true
      }
      #expect(engine.isUp == true && engine.name == name)
    }
    #expect(calls.asked.withLock { $0 } == 1, "once is enough")
  }

  /// An engine that hangs costs its time-out once an interval, not in each sample in which something changed.
  @Test func anEngineThatFailsIsLeftInPeace() {
    var engine = ContainerEngine(socket: "/run/docker.sock", resolved: "/run/docker.sock")
    let host = Host(root: "/nowhere", calls: Engine(list: "{}"))
    engine.ask(host, restarted: [], until: SystemClock.bootMilliseconds + 60_000, at: 0) { _ in true }
    #expect(engine.isUp == false && engine.problem == .malformed(path: "/run/docker.sock", what: "no list of containers"))
    #expect(!engine.isDue(hasChanged: true, every: 60, at: 59) && engine.isDue(hasChanged: false, every: 60, at: 60))
  }

  /// The details of one container hang: the engine works, and the others are told.
  @Test func detailsThatHangAreSaid() {
    final class Hanging: AbsentCalls {
      func page(
        _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
      ) throws(SensorError) -> Int {
        if target == "/version" { return 404 }
        guard target.hasSuffix("?all=true") else {
          #expect(timeoutMilliseconds <= ContainerLimits.detailsMilliseconds)
          throw .timedOut
        }
        _ = try take(Array("[\(ContainerTests.element(1))]".utf8))
        return 200
      }
    }
    var engine = ContainerEngine(socket: "/run/docker.sock", resolved: "/run/docker.sock")
    let end = SystemClock.bootMilliseconds + 60_000
    engine.ask(Host(root: "/nowhere", calls: Hanging()), restarted: [], until: end, at: 1) { _ in true }
    #expect(engine.isUp == true && engine.containers.first?.state == .running)
    #expect(engine.problem == .device("/run/docker.sock", what: "the details of app-1: timed out"))
  }

  @Test func aSocketIsAnAbsolutePath() {
    func check(_ sockets: [String]) -> [SettingFault] {
      ContainersSensor.kind.check(Settings(ContainersSensor.kind.settings, ["sockets": .list(sockets)]))
    }
    #expect(check(["/run/a.sock"]).isEmpty && check([]).isEmpty)
    #expect(check(["/run/a.sock", "unix:///run/a.sock"]).map(\.what) == ["'unix:///run/a.sock' is no absolute path of a socket"])
    #expect(check(["/run/a.sock", "unix:///run/a.sock"]).map(\.item) == [1])
    #expect(check([String](repeating: "/run/a.sock", count: 9)).count == 1)
  }

  @Test(arguments: [
    ("exited", "always", 0, true), ("exited", "unless-stopped", 137, true), ("exited", "on-failure", 0, false),
    ("exited", "on-failure", 3, true), ("exited", "no", 1, false), ("exited", "", 1, false), ("created", "always", 128, true),
    ("dead", "always", 0, true), ("paused", "always", 0, false), ("running", "always", 0, false), ("restarting", "no", 1, true),
  ])
  func downIsWhatShouldRunAndDoesNot(state: String, policy: String, code: Int, isDown: Bool) throws {
    var container = try #require(EngineContainer(JSONValue(parsing: Array(Self.element(1, state: state).utf8))))
    #expect(container.isDown == nil)
    let details = #"""
      {"Id":"\#(container.id)","State":{"Status":"\#(state)","ExitCode":\#(code)},"RestartCount":2,
       "HostConfig":{"RestartPolicy":{"Name":"\#(policy)"}}}
      """#
    #expect(container.take(try JSONValue(parsing: Array(details.utf8)), at: 5))
    #expect(container.isDown == isDown && container.restarts == 2)
  }

  @Test func aPatternStandsForTheSocketsOfUsers() {
    let root = CaseTests.folder.appendingPathComponent("containers/docker/input").path
    let host = Host(root: root)
    #expect(host.paths("/var/run/docker.sock") == ["/var/run/docker.sock"])
    #expect(host.paths("/sys/fs/*/system.slice/???.service") == ["/sys/fs/cgroup/system.slice/ssh.service"])
    #expect(host.paths("/no/*/docker.sock") == [])
  }
}
