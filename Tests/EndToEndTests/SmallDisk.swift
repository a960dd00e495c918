import Foundation

/// A tmpfs of a few megabytes that a test may fill or make read-only. Only root may mount one.
final class SmallDisk {
  let folder: TemporaryFolder

  init(bytes: Int) throws {
    folder = try TemporaryFolder()
    let end = try run(["mount", "-t", "tmpfs", "-o", "size=\(bytes),mode=755", "tmpfs", folder.path])
    guard end == .exited(0) else { throw ChildProcess.Failure(description: "cannot mount a tmpfs") }
  }

  deinit { _ = try? run(["umount", "-l", folder.path]) }

  /// Whether this process may mount; said once when not.
  static let isPermitted: Bool = {
    if (try? SmallDisk(bytes: 1 << 20)) != nil { return true }
    print("skipped: only root can mount the small disk of this test")
    return false
  }()

  func remount(_ option: String) throws {
    let end = try run(["mount", "-o", "remount,\(option)", folder.path])
    guard end == .exited(0) else { throw ChildProcess.Failure(description: "cannot remount as \(option)") }
  }

  /// Takes all the space that is left.
  func fill() throws {
    let path = folder.path(of: "ballast")
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0x42, count: 4096)
    while write(descriptor, &bytes, bytes.count) > 0 {}
    guard errno == ENOSPC else { throw ChildProcess.Failure(description: "the disk did not fill: errno \(errno)") }
  }

  /// Gives it back.
  func empty() { unlink(folder.path(of: "ballast")) }

  private func run(_ arguments: [String]) throws -> ChildProcess.End {
    let place = try TemporaryFolder()
    return try ChildProcess.run(arguments[0], Array(arguments.dropFirst()), in: place).end
  }
}
