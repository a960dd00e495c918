import Foundation
import Platform

/// A real engine in a folder of its own, with containers made from a local busybox; all of it goes with the bench.
final class EngineBench {
  let kind: String
  /// What the names of its containers begin with.
  let prefix = "godwit-\(UInt32.random(in: 0...UInt32.max))-"
  let root: URL
  let image = "localhost/godwit-test:1"
  private let program: String
  private var service: Process?
  private var containers: [String] = []

  var socket: String { root.appendingPathComponent("api.sock").path }

  /// What a command said and how it ended.
  struct Answer {
    var status: Int32
    var output, errors: String
  }

  /// Nil, with a line that says why, where the engine cannot be had.
  init?(_ kind: String) throws {
    self.kind = kind
    root = URL(fileURLWithPath: "/tmp/godwit-engine-\(UUID().uuidString.prefix(8))")
    program = Self.find(kind) ?? ""
    func skip(_ why: String) { print("skipped: \(kind): \(why)") }
    guard !program.isEmpty, let busybox = Self.find("busybox"), getuid() == 0 else {
      skip("the program and busybox are needed, and to be root")
      return nil
    }
    try FileManager.default.createDirectory(
      at: root.appendingPathComponent("rootfs/bin"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: busybox, toPath: root.appendingPathComponent("rootfs/bin/busybox").path)
    for name in ["sh", "sleep"] {
      try FileManager.default.createSymbolicLink(
        atPath: root.appendingPathComponent("rootfs/bin/\(name)").path, withDestinationPath: "busybox")
    }
    let archive = root.appendingPathComponent("image.tar").path
    let packed = Self.run("/bin/tar", ["-C", root.appendingPathComponent("rootfs").path, "-cf", archive, "."])
    guard packed.status == 0, try start() else {
      skip("its service does not start")
      end()
      return nil
    }
    let imported = command(["import", archive, image])
    guard imported.status == 0 else {
      skip("no image: \(imported.errors)")
      end()
      return nil
    }
  }

  /// Where a program of the system lies.
  static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { String($0) }
    return (folders + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]).map { $0 + "/" + name }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private func start() throws -> Bool {
    let process = Process()
    if kind == "podman" {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = options + ["system", "service", "--time", "0", "unix://" + socket]
    } else {
      guard let daemon = Self.find("dockerd"), Self.find("containerd") != nil else { return false }
      process.executableURL = URL(fileURLWithPath: daemon)
      process.arguments = [
        "--data-root", root.path + "/data", "--exec-root", root.path + "/exec", "--pidfile", root.path + "/pid", "--host",
        "unix://" + socket, "--storage-driver", "vfs", "--bridge", "none", "--iptables=false", "--ip6tables=false",
        "--config-file", root.path + "/daemon.json",
      ]
    }
    try Data("{}".utf8).write(to: root.appendingPathComponent("daemon.json"))
    _ = FileManager.default.createFile(atPath: root.path + "/service.log", contents: nil)
    let log = try FileHandle(forWritingTo: URL(fileURLWithPath: root.path + "/service.log"))
    (process.standardOutput, process.standardError) = (log, log)
    try process.run()
    service = process
    return eventually { self.command(["version"]).status == 0 && FileManager.default.fileExists(atPath: self.socket) }
  }

  private var options: [String] {
    if kind == "docker" { return ["--host", "unix://" + socket] }
    let runtime = Self.find("runc").map { ["--runtime", $0] } ?? []
    return [
      "--root", root.path + "/data", "--runroot", root.path + "/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
      "--events-backend", "file",
    ] + runtime
  }

  /// Waits for a condition, half a minute at most.
  func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<150 {
      if condition() { return true }
      usleep(200_000)
    }
    return condition()
  }

  func command(_ arguments: [String]) -> Answer { Self.run(program, options + arguments) }

  /// Makes and starts a container; nil, with a line that says why, where this machine cannot run one.
  func start(_ name: String, _ arguments: [String], _ command: [String]) -> String? {
    containers.append(prefix + name)
    let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    let answer = self.command(["run", "-d", "--name", prefix + name] + limits + arguments + [image] + command)
    guard answer.status == 0 else {
      print("skipped: \(kind) cannot run a container here: \(answer.errors)")
      return nil
    }
    return prefix + name
  }

  /// What the engine's own command line says of a container.
  func inspect(_ name: String) throws -> [String: Any] {
    let answer = command(["inspect", "--type", "container", name])
    let all = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]]
    return all?.first ?? [:]
  }

  func end() {
    for name in containers { _ = command(["rm", "-f", name]) }
    if let service {
      service.terminate()
      if !eventually({ !service.isRunning }) { print("\(kind) does not end: process \(service.processIdentifier)") }
    }
    service = nil
    try? FileManager.default.removeItem(at: root)
  }

  /// The fixed environment of `Subprocess` has no PATH that leads to the programs of an engine.
  private static func run(_ path: String, _ arguments: [String]) -> Answer {
    let environment = ProcessInfo.processInfo.environment
    let words = [
      "PATH=\(environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin")", "HOME=\(environment["HOME"] ?? "/root")", path,
    ]
    do {
      let outcome = try Subprocess.run("/usr/bin/env", words + arguments, timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
      let status: Int32 = if case .exited(let status) = outcome.end { status } else { -1 }
      return Answer(
        status: status, output: String(decoding: outcome.output, as: UTF8.self),
        errors: String(decoding: outcome.errors, as: UTF8.self))
    } catch {
      return Answer(status: -1, output: "", errors: "\(error)")
    }
  }
}
