import Platform

/// What `/proc/<pid>/io` says of a process and of those of its children that ended and that it waited for (proc_pid_io(5)).
struct ProcessIO: Equatable {
  /// Bytes fetched from storage.
  var readBytes: UInt64
  /// Bytes sent towards storage, by the one who made the pages dirty.
  var writtenBytes: UInt64

  init(readBytes: UInt64 = 0, writtenBytes: UInt64 = 0) {
    self.readBytes = readBytes
    self.writtenBytes = writtenBytes
  }

  /// Takes the lines `read_bytes:` and `write_bytes:`; nil without both.
  init?(_ text: inout ByteScanner) {
    var read: UInt64?
    var written: UInt64?
    while !text.isAtEnd {
      if text.skip("read_bytes:") {
        read = text.unsigned()
      } else if text.skip("write_bytes:") {
        written = text.unsigned()
      }
      text.skipLine()
    }
    guard let read, let written else { return nil }
    self.init(readBytes: read, writtenBytes: written)
  }

  static func += (left: inout ProcessIO, right: ProcessIO) {
    left.readBytes &+= right.readBytes
    left.writtenBytes &+= right.writtenBytes
  }

  /// How far it is ahead of another.
  func growth(since old: ProcessIO) -> ProcessIO {
    ProcessIO(
      readBytes: readBytes - min(old.readBytes, readBytes), writtenBytes: writtenBytes - min(old.writtenBytes, writtenBytes))
  }
}
