import Glibc

/// Looks at a file that SQLite does not take for a database: a buffer whose head was lost is damaged, anything else is foreign
/// and must not be touched.
enum FileHeader {
  /// Whether the file was a buffer: its application id still stands, or its first bytes are wiped or cut off, or a write-ahead log
  /// lies beside it. (sqlite.org/fileformat2.html, 1.3 and 4.1)
  static func wasBuffer(path: String) -> Bool {
    guard let head = first(100, of: path) else { return false }
    if head.isEmpty || head.allSatisfy({ $0 == 0 }) { return true }
    let application = withUnsafeBytes(of: UInt32(Schema.applicationID).bigEndian) { Array($0) }
    if head.count >= 72, Array(head[68..<72]) == application { return true }
    if head.count < 100, Array("SQLite format 3".utf8).starts(with: head.prefix(15)) { return true }
    guard let log = first(4, of: path + "-wal") else { return false }
    return log == [0x37, 0x7F, 0x06, 0x82] || log == [0x37, 0x7F, 0x06, 0x83]
  }

  /// Device and inode of a file; nil when there is none.
  static func identity(_ path: String) -> [UInt64]? {
    var status = stat()
    return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
  }

  /// The size of a file, bytes; nil when there is none.
  static func bytes(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// Whether there is a log without a commit, its header at most, beside an index that this process may not write.
  ///
  /// A power cut while the header is being synchronised leaves it (sqlite.org/walformat.html, 2.1). SQLite finds no salt in its own index
  /// of such a log, takes that for a writer at work, and gives up after ten seconds.
  static func hasLogWithoutCommit(_ path: String) -> Bool {
    guard let log = bytes(path + "-wal"), log <= 32, bytes(path + "-shm") != nil else { return false }
    return access(path + "-shm", W_OK) != 0
  }

  /// Why there is no file to open at a path, in words; nil when there is one. SQLite would wait for ever for the writer of a pipe.
  static func absence(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return String(cString: strerror(errno)).lowercased() }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "it is a directory"
    default: "it is no regular file"
    }
  }

  // Closing a second descriptor of a database drops this process' locks on it: only for files that SQLite refused.
  private static func first(_ count: Int, of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let taken = read(descriptor, &bytes, count)
    return taken < 0 ? nil : Array(bytes.prefix(taken))
  }
}
