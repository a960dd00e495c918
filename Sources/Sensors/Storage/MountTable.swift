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

extension ByteScanner {
  /// A hash of all that is left, not consumed: tells whether a text is still the same (FNV-1a, 64 bit).
  func restHash() -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var rest = self
    _ = rest.skip {
      hash = (hash ^ UInt64($0)) &* 0x0000_0100_0000_01b3
      return false
    }
    return hash
  }
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

  /// Mount points that are no place for files of the device's own: containers, snaps, sessions.
  static let leftOut =
    "/dev/*,/proc/*,/sys/*,/run/credentials/*,/run/user/*,/run/containerd/*,/var/lib/docker/*,/var/lib/containers/*,"
    + "/var/lib/kubelet/*,/snap/*,/etc/hosts,/etc/hostname,/etc/resolv.conf"

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
      mounts.append(Mount(device: device, root: root, path: place, type: type, readOnly: saysReadOnly(options)))
      text.skipLine()
    }
    return mounts
  }

  /// `ro`, or since Linux 6.15 `emergency_ro` of an ext4 that an error stopped.
  private static func saysReadOnly(_ options: String) -> Bool {
    options.split(separator: ",").contains { $0 == "ro" || $0 == "emergency_ro" }
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
