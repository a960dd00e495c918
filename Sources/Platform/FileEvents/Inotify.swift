import CLinux
import Glibc
public import Telemetry

extension LinuxCalls {
  /// By inotify(7).
  public func fileWatches() throws(SensorError) -> any FileWatches { try Inotify() }
}

/// An instance of inotify(7). The kernel keeps `fs.inotify.max_queued_events` events until they are taken.
private final class Inotify: FileWatches {
  /// Bytes of one read: as many events at least as names of 255 bytes.
  private static let readBytes = 32 * 1024

  private let descriptor: Int32

  init() throws(SensorError) {
    descriptor = inotify_init1(Int32(O_NONBLOCK | O_CLOEXEC))
    guard descriptor >= 0 else { throw errno == EMFILE ? FileWatchFailure.noInstances : .io(path: "inotify", errno: errno) }
  }

  deinit { close(descriptor) }

  func watch(_ path: String, followsLinks: Bool) throws(SensorError) -> Int {
    // What was unlinked while open is of no interest any more.
    let flags = UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK) | (followsLinks ? 0 : UInt32(IN_DONT_FOLLOW))
    let watch = inotify_add_watch(descriptor, path, FileEvent.all | flags)
    guard watch < 0 else { return Int(watch) }
    switch errno {
    case ENOENT, ENOTDIR: throw .absent(path)
    case ENOSPC: throw FileWatchFailure.noWatches
    default: throw .io(path: path, errno: errno)
    }
  }

  func unwatch(_ watch: Int) { inotify_rm_watch(descriptor, Int32(watch)) }

  func take(into events: inout [FileEvent]) -> Bool {
    var bytes = [UInt8](repeating: 0, count: Self.readBytes)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return false }
    events += fileEvents(bytes[..<count])
    return true
  }
}
