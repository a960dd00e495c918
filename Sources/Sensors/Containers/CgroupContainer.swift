import Platform
import Telemetry

/// A container as the control groups show it.
struct CgroupContainer: Equatable {
  /// The 64 digits of its id; the name of one of LXC or systemd-nspawn.
  let id: String
  let engine: String
  /// Below the root of a hierarchy, with a slash before it.
  let path: String

  /// How the runtimes name the scope of a container, the id behind it. Directories of their monitors have no id there.
  private static let prefixes: [(prefix: String, engine: String)] = [
    ("docker-", "docker"), ("libpod-payload-", "podman"), ("libpod-", "podman"), ("cri-containerd-", "containerd"),
    ("nerdctl-", "containerd"), ("crio-", "cri-o"),
  ]

  /// What a directory's name tells; nil when it is no container's.
  init?(_ name: String, in parent: String) {
    path = parent + "/" + name
    if name.hasPrefix("lxc.payload.") {
      (id, engine) = (Self.label(name.dropFirst(12)), "lxc")
    } else if name.hasPrefix("systemd-nspawn@"), name.hasSuffix(".service") {
      (id, engine) = (Self.label(name.dropFirst(15).dropLast(8)), "nspawn")
    } else if parent == "/lxc" {
      (id, engine) = (Self.label(name[...]), "lxc")
    } else {
      let name = name.hasSuffix(".scope") ? name.dropLast(6) : name[...]
      var rest = name
      var engine = parent.hasSuffix("/docker") ? "docker" : parent.hasPrefix("/kubepods") ? "kubernetes" : "other"
      if let known = Self.prefixes.first(where: { name.hasPrefix($0.prefix) }) {
        rest = name.dropFirst(known.prefix.count)
        engine = known.engine
      }
      guard Self.isID(rest.utf8) else { return nil }
      (id, self.engine) = (String(rest), engine)
    }
    guard !id.isEmpty else { return nil }
  }

  /// 64 hexadecimal digits.
  static func isID(_ text: Substring.UTF8View) -> Bool {
    text.count == 64 && text.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// A name without systemd's escapes (`\x2d`, systemd.unit(5)) and control characters.
  private static func label(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8.prefix(ContainerLimits.nameBytes))[...]
    while let byte = rest.popFirst() {
      if byte == 0x5C, rest.count >= 3, rest.first == 0x78,
        let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return EngineContainer.clean(String(decoding: bytes, as: UTF8.self))
  }
}

/// The control groups of the machine (Documentation/admin-guide/cgroup-v2.rst; the older hierarchies: Documentation/admin-guide/cgroup-v1).
struct CgroupTree {
  private static let root = "/sys/fs/cgroup"

  let host: Host
  /// Version 2: one hierarchy for all controllers.
  let isUnified: Bool
  /// The hierarchy in which containers are looked for; nil where there is none.
  private let searched: String?

  init(_ host: Host) {
    self.host = host
    isUnified = host.exists(Self.root + "/cgroup.controllers")
    // A container is in all of them; which there are depends on the kernel.
    let older = ["pids", "cpuacct", "memory", "systemd"].map { Self.root + "/" + $0 }
    searched = isUnified ? Self.root : older.first(where: host.isDirectory)
  }

  /// The directory of a control group: in version 1 of the controller's own hierarchy.
  func directory(_ path: String, _ controller: String) -> String {
    isUnified ? Self.root + path : "\(Self.root)/\(controller)\(path)"
  }

  /// The containers, always in the same order. What is inside a container is its own affair.
  func containers() -> [CgroupContainer] {
    guard let searched else { return [] }
    var found: [CgroupContainer] = []
    var open = [""]
    var ends = [1]
    var seen = 0
    // Breadth first: `ends` are where each level ends in `open`.
    while seen < open.count, seen < ContainerLimits.cgroups, found.count < ContainerLimits.found {
      if seen == ends[ends.count - 1] { ends.append(open.count) }
      let path = open[seen]
      seen += 1
      guard !host.isLeaf(searched + path), let names = try? host.subdirectories(searched + path, isSorted: false) else {
        continue
      }
      for name in names.sorted() {
        if let container = CgroupContainer(name, in: path) {
          found.append(container)
        } else if ends.count < ContainerLimits.depth {
          open.append(path + "/" + name)
        }
      }
    }
    return found
  }

  /// The control group that a container's lies in.
  func parent(of container: CgroupContainer) -> String {
    let end = container.path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? container.path.startIndex
    return String(container.path[..<end])
  }

  /// Kills for want of memory in a control group and all below it; nil in version 1, which has no such sum.
  func oomKills(_ path: String) -> Double? {
    guard isUnified else { return nil }
    let file = host.file(Self.root + path + "/memory.events", limit: ContainerLimits.fileBytes)
    let kills = try? file.read { (text) throws(SensorError) in WatchedCgroup.number("oom_kill ", &text) }
    return (kills ?? nil).map { Double($0) }
  }

  /// The first process of a container, which may be in a control group below its own; nil when there is none, or none that can be seen.
  func process(of container: CgroupContainer) -> Int32? {
    guard let searched else { return nil }
    var open = [searched + container.path]
    var seen = 0
    while seen < open.count, seen < 16 {
      let directory = open[seen]
      seen += 1
      let id = try? host.file(directory + "/cgroup.procs").read { (text) throws(SensorError) in text.unsigned() }
      // 0 is a process of another pid namespace.
      if let id = id ?? nil, id > 0 { return Int32(clamping: id) }
      guard !host.isLeaf(directory), let below = try? host.subdirectories(directory) else { continue }
      // That of systemd-nspawn itself, which is outside of the container.
      for name in below where name != "supervisor" { open.append(directory + "/" + name) }
    }
    return nil
  }
}
