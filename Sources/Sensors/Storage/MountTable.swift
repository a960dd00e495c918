import Platform
import Telemetry

/// A mounted file system, a line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)):
///
/// ```
/// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
/// (1)(2)(3)   (4)   (5)      (6)      (7)   (8) (9)   (10)         (11)
/// ```
struct Mount: Hashable {
  /// Major and minor number of the file system's device (3).
  var device: String
  /// Which directory of the file system is the top of the mount (4).
  var root: String
  /// Where it is mounted (5).
  var path: String
  /// The type (9).
  var type: String
  /// Whether the file system itself is read-only (11), whatever a single mount of it says.
  var readOnly: Bool
}

/// The mounts of `/proc/self/mountinfo` that hold files of a disk.
enum MountTable {
  /// File systems without a disk behind them, and images that are always full. Left out.
  static let pseudoTypes: Set<String> = [
    "anon_inodefs", "autofs", "bdev", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs",
    "devfs",
    "devpts", "devtmpfs", "dmabuf", "efivarfs", "fusectl", "functionfs", "hugetlbfs", "mqueue", "nsfs", "pipefs", "proc",
    "pstore",
    "ramfs", "resctrl", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs", "sockfs", "sysfs", "tmpfs", "tracefs",
    "xenfs", "cramfs", "erofs", "iso9660", "romfs", "squashfs", "udf",
  ]

  /// File systems over a network, of a hypervisor, or in user space: asking them can block. `fuseblk` has a disk and is none.
  static let networkTypes: Set<String> = [
    "9p", "afs", "ceph", "cifs", "coda", "fuse", "lustre", "ncpfs", "nfs", "nfs4", "orangefs", "prl_fs", "smb3", "smbfs",
    "vboxsf",
    "virtiofs", "vmhgfs",
  ]

  /// Whether asking the type can block: one of `networkTypes`, or `fuse.<anything>`.
  static func isNetwork(_ type: String) -> Bool {
    networkTypes.contains(type) || type.hasPrefix("fuse.")
  }

  /// All mounts, in the order of the file: a later one at the same path covers the earlier.
  ///
  /// - Throws: `malformed` with `path` at a line that lacks fields.
  static func parse(_ text: inout ByteScanner, path: String) throws(SensorError) -> [Mount] {
    var mounts: [Mount] = []
    while !text.isAtEnd {
      if text.isAtLineEnd {
        text.skipLine()
        continue
      }
      for _ in 0..<2 { _ = text.word() }
      let device = text.word()
      let root = unescapedOctal(text.word())
      let place = unescapedOctal(text.word())
      // Options, then any number of optional fields up to a lone hyphen.
      while !text.isAtLineEnd, text.word() != "-" {}
      let type = text.word()
      _ = text.word()
      let options = text.word()
      guard device.contains(":"), place.hasPrefix("/"), !type.isEmpty else {
        throw .malformed(path: path, what: "a line needs a device, a mount point, and a type behind a hyphen")
      }
      let readOnly = options == "ro" || options.hasPrefix("ro,")
      mounts.append(Mount(device: device, root: root, path: place, type: type, readOnly: readOnly))
      text.skipLine()
    }
    return mounts
  }

  /// The mounts to report: those with a disk that `filter` admits, one for each device. Of several mounts of a device (bind
  /// mounts, subvolumes) the first that shows it from its top is taken, else the first.
  static func selected(_ mounts: [Mount], filter: NameFilter, withNetwork: Bool) -> [Mount] {
    var covered: [String: Int] = [:]
    for (index, mount) in mounts.enumerated() { covered[mount.path] = index }
    var chosen: [Mount] = []
    var byDevice: [String: Int] = [:]
    for (index, mount) in mounts.enumerated() where covered[mount.path] == index && !pseudoTypes.contains(mount.type) {
      guard withNetwork || !isNetwork(mount.type), filter.admits(mount.path) else { continue }
      guard let known = byDevice[mount.device] else {
        byDevice[mount.device] = chosen.count
        chosen.append(mount)
        continue
      }
      if mount.root == "/", chosen[known].root != "/" { chosen[known] = mount }
    }
    return chosen
  }
}
