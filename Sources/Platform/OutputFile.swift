import Glibc
public import Telemetry

/// A file that is written from its beginning to its end, and is there only when it is whole.
public final class OutputFile {
  /// Where it will lie.
  public var path: String { staged.path }
  private let staged: StagedFile
  private var descriptor: Int32 = -1
  private var pending: [UInt8] = []

  /// Begins a file beside its place; what is at its place stays until `finish`.
  public init(path: String) throws(SensorError) {
    staged = try StagedFile(path: path)
    descriptor = open(staged.stagedPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .io(path: path, errno: errno) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends bytes; they are written in larger pieces.
  public func append(_ bytes: [UInt8]) throws(SensorError) {
    pending += bytes
    if pending.count >= 64 * 1024 { try flush() }
  }

  /// Writes the rest to the disk and puts the file into its place.
  public func finish() throws(SensorError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw .io(path: path, errno: errno) }
    try staged.place()
  }

  private func flush() throws(SensorError) {
    var done = 0
    while done < pending.count {
      let count = pending.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .io(path: path, errno: errno)
      }
      done += count
    }
    pending.removeAll(keepingCapacity: true)
  }
}
