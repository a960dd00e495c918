import CLinux
import Glibc

/// Holds a lock file for the life of the process: one agent a buffer. The kernel drops it when the process dies.
public final class FileLock {
  private let descriptor: Int32

  /// Why the lock was not had.
  public enum Failure: Error, Hashable, Sendable {
    /// Another process holds it; its number as it wrote it down, if it did.
    case held(by: Int?)
    /// The file could not be made or locked.
    case io(errno: Int32)
  }

  /// Takes the lock at `path`, making the file (mode 0640) and writing the own process number into it.
  ///
  /// - Parameter sibling: whose owner the lock gets when root makes it, so that an agent of that user can take it later.
  public init(path: String, ownedAs sibling: String? = nil) throws(Failure) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .io(errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      var text = [UInt8](repeating: 0, count: 16)
      let count = max(pread(descriptor, &text, text.count, 0), 0)
      close(descriptor)
      guard code == EWOULDBLOCK else { throw .io(errno: code) }
      throw .held(by: Int(String(decoding: text[0..<count].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)))
    }
    ftruncate(descriptor, 0)
    if geteuid() == 0, let owner = sibling.flatMap(FileStatus.init) { fchown(descriptor, owner.user, owner.group) }
    let text = Array("\(getpid())\n".utf8)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  deinit { close(descriptor) }
}
