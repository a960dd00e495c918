import Platform
import Telemetry

/// Which process holds a socket: the links `socket:[inode]` among its descriptors (proc_pid_fd(5)). Other users' processes can be looked at
/// only with CAP_SYS_PTRACE.
///
/// A socket's owner is looked for once, so that only new sockets cost a walk through all processes.
struct SocketOwners {
  /// Processes, and descriptors of one, that are looked at.
  private static let processes = 10_000
  private static let descriptors = 4096

  private let host: Host
  /// By inode; nil when no process could be found that has it.
  private var names: [UInt32: String?] = [:]

  init(host: Host) { self.host = host }

  /// Learns who holds these sockets, and forgets all others.
  mutating func learn(_ inodes: Set<UInt32>) {
    names = names.filter { inodes.contains($0.key) }
    var wanted = inodes.filter { names[$0] == nil }
    guard !wanted.isEmpty, let pids = try? host.list("/proc") else { return }
    var looked = 0
    for pid in pids where pid.utf8.first.map({ (0x30...0x39).contains($0) }) ?? false {
      looked += 1
      if wanted.isEmpty || looked > Self.processes { break }
      look(at: pid, &wanted)
    }
    for inode in wanted { names.updateValue(nil, forKey: inode) }
  }

  private mutating func look(at pid: String, _ wanted: inout Set<UInt32>) {
    guard let descriptors = try? host.list("/proc/\(pid)/fd") else { return }
    var name: String?
    for descriptor in descriptors.prefix(Self.descriptors) {
      guard let target = host.link("/proc/\(pid)/fd/\(descriptor)"), let inode = Self.inode(target), wanted.contains(inode)
      else { continue }
      wanted.remove(inode)
      let owner = name ?? host.line("/proc/\(pid)/comm") ?? pid
      name = owner
      names.updateValue(owner, forKey: inode)
    }
  }

  /// `socket:[31337]` → 31337.
  private static func inode(_ target: String) -> UInt32? {
    guard target.hasPrefix("socket:["), target.hasSuffix("]") else { return nil }
    return UInt32(target.dropFirst(8).dropLast())
  }

  /// The name of the process that holds a socket.
  subscript(inode: UInt32) -> String? { names[inode] ?? nil }
}
