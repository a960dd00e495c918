import Glibc

/// What stat(2) says of a path, links followed. In a file of its own: beside `import CLinux` the fields of `stat` belong to that module.
struct FileStatus {
  let isDirectory: Bool
  let isFile: Bool
  let isSocket: Bool
  let user: uid_t
  let group: gid_t
  let size: Int64
  let links: Int
  /// Milliseconds since 1970.
  let modifiedMilliseconds: Int64
  let device, inode: UInt64

  private static let farthestSeconds = Int64.max / 4_000

  /// Nil where nothing is found.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// What fstat(2) says of an open file.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    (isDirectory, isFile) = (status.st_mode & S_IFMT == S_IFDIR, status.st_mode & S_IFMT == S_IFREG)
    isSocket = status.st_mode & S_IFMT == S_IFSOCK
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    (user, group, size) = (status.st_uid, status.st_gid, Int64(status.st_size))
    links = Int(status.st_nlink)
    // tmpfs keeps any time of 64 bits that a file's owner gives it: one that no product and no age can hold stands for very far away.
    let seconds = min(max(Int64(status.st_mtim.tv_sec), -Self.farthestSeconds), Self.farthestSeconds)
    modifiedMilliseconds = seconds * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
  }
}
