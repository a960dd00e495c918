import Platform
import Telemetry

/// Which process holds a socket: the links `socket:[inode]` among its descriptors (proc_pid_fd(5)). Other users' processes can be looked at
/// only with CAP_SYS_PTRACE.
///
/// A socket's owner is looked for once, so that only new sockets cost a walk, which begins with the processes that held sockets before.
struct SocketOwners {
  /// Processes that are looked at in one walk, and descriptors of all of them together.
  private static let processes = 10_000
  private static let descriptors = 262_144

  private let files: ProcessFiles
  /// By inode; nil when no process could be found that has it.
  private var names: [UInt32: String?] = [:]
  /// The processes that held a socket of the last look.
  private var holders: Set<Int32> = []

  init(host: Host) { files = ProcessFiles(host: host) }

  /// Learns who holds these sockets, and forgets all others.
  mutating func learn(_ inodes: Set<UInt32>) {
    names = names.filter { inodes.contains($0.key) }
    var wanted = inodes.filter { names[$0] == nil }
    guard !wanted.isEmpty, let processes = try? files.list(limit: Self.processes).ids else { return }
    let before = holders
    holders.formIntersection(processes)
    var left = Self.descriptors
    for id in processes where before.contains(id) && !wanted.isEmpty { look(at: id, &wanted, &left) }
    for id in processes where !before.contains(id) && !wanted.isEmpty { look(at: id, &wanted, &left) }
    // What the walk did not come to is looked for again.
    guard left > 0 else { return }
    for inode in wanted { names.updateValue(nil, forKey: inode) }
  }

  private mutating func look(at process: Int32, _ wanted: inout Set<UInt32>, _ left: inout Int) {
    var found: [UInt32] = []
    // Those of other users, without the right.
    guard let seen = try? files.sockets(of: process, limit: left, { if wanted.remove($0) != nil { found.append($0) } }) else {
      return
    }
    left -= seen
    guard !found.isEmpty else { return }
    holders.insert(process)
    let line = try? files.read(process, "comm") { (text) throws(SensorError) in text.restOfLine() }
    for inode in found { names.updateValue(line ?? "\(process)", forKey: inode) }
  }

  /// The name of the process that holds a socket.
  subscript(inode: UInt32) -> String? { names[inode] ?? nil }
}
