import Glibc
public import Telemetry

extension Host {
  /// Gives each line of an ordinary file to `body`, however long the file is: it passes through a buffer of
  /// `PlatformLimits.largeFileBuffer` bytes. Of a line that is longer than that only its beginning is given.
  ///
  /// - Parameter unpacking: Whether a file that begins as gzip (RFC 1952) or an LZ4 frame does is unpacked on the way.
  /// - Throws: `absent`, `io`, `malformed` when it is no ordinary file, or packed and damaged; or what `body` throws.
  public func lines(
    _ path: String, unpacking: Bool = false, _ body: (inout ByteScanner) throws(SensorError) -> Void
  ) throws(SensorError) {
    var file = try UnpackedFile(path, of: self, unpacks: unpacking)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PlatformLimits.largeFileBuffer, alignment: 16)
    defer { buffer.deallocate() }
    guard let start = buffer.baseAddress else { return }
    var held = 0
    // Whether what comes up to the next line feed belongs to a line that was given already.
    var isRest = false
    while true {
      let got = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[held...]))
      held += got
      var done = 0
      while done < held {
        let end = memchr(start + done, 0x0A, held - done).map { UnsafeRawPointer($0) - UnsafeRawPointer(start) }
        // Without its end a line waits for more, unless there is none, or no room for it.
        if end == nil, got > 0, done > 0 || held < buffer.count { break }
        let last = end ?? held
        if !isRest {
          var line = ByteScanner(base: (start + done).assumingMemoryBound(to: UInt8.self), count: last - done)
          try body(&line)
        }
        isRest = end == nil
        done = min(last + 1, held)
      }
      if got == 0 { return }
      if done > 0 { memmove(start, start + done, held - done) }
      held -= done
    }
  }

  /// Milliseconds since 1970 at which a path was last changed, and its size; nil where nothing is found.
  public func fileMark(_ path: String) -> (modifiedMilliseconds: Int64, bytes: Int64)? {
    FileStatus(root + path).map { ($0.modifiedMilliseconds, $0.size) }
  }
}
