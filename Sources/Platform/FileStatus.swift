import Glibc

/// What stat(2) says of a path, links followed. In a file of its own: beside `import CLinux` the fields of `stat` belong to that module.
struct FileStatus {
  let isDirectory: Bool
  let user: uid_t
  let group: gid_t

  /// Nil where nothing is found.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (isDirectory, user, group) = (status.st_mode & S_IFMT == S_IFDIR, status.st_uid, status.st_gid)
  }
}
