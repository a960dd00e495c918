import Glibc
public import Telemetry

/// A file made beside its place, under its name and `.partial`, and put there when it is whole. What was at its place stays until then;
/// what was begun goes when this does.
public final class StagedFile {
  /// Where it will lie.
  public let path: String
  /// Where it is made.
  public var stagedPath: String { path + ".partial" }
  private var isPlaced = false

  /// Deletes what an earlier attempt that was killed left behind; makes nothing.
  public init(path: String) throws(SensorError) {
    self.path = path
    guard unlink(stagedPath) == 0 || errno == ENOENT else { throw .io(path: stagedPath, errno: errno) }
  }

  deinit { if !isPlaced { unlink(stagedPath) } }

  /// Puts the file, whose bytes are on the disk already, into its place, and makes that last.
  public func place() throws(SensorError) {
    guard rename(stagedPath, path) == 0 else { throw .io(path: path, errno: errno) }
    isPlaced = true
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Whether both names lead to one file, through links too; false when either leads nowhere.
  public static func areOneFile(_ path: String, _ other: String) -> Bool {
    var first = stat()
    var second = stat()
    guard stat(path, &first) == 0, stat(other, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }
}
