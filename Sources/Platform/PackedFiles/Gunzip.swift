import CZlib
import Telemetry

/// A file of gzip (RFC 1952), which may have several members one after another.
final class Gunzip {
  private let source: FileSource
  // zlib keeps a pointer back to the stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let isReady: Bool
  private var isBetween = false

  init(_ source: FileSource) {
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    isReady = godwit_gunzip_init(stream) == Z_OK
  }

  deinit {
    if isReady { inflateEnd(stream) }
    stream.deallocate()
  }

  /// Gives some of what is in the file, nothing at its end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(SensorError) -> Int {
    guard isReady else { throw damaged }
    stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(clamping: target.count)
    while true {
      let bytes = try source.pending()
      if isBetween {
        // What stands behind the last member is none, as with gzip(1).
        guard bytes.first == 0x1F else { return target.count - Int(stream.pointee.avail_out) }
        guard inflateReset(stream) == Z_OK else { throw damaged }
        isBetween = false
      }
      guard !bytes.isEmpty else { throw damaged }
      stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
      stream.pointee.avail_in = UInt32(clamping: bytes.count)
      let code = CZlib.inflate(stream, Z_NO_FLUSH)
      source.skip(bytes.count - Int(stream.pointee.avail_in))
      guard code == Z_OK || code == Z_STREAM_END else { throw damaged }
      isBetween = code == Z_STREAM_END
      if stream.pointee.avail_out == 0 { return target.count }
      if isBetween { continue }
      if Int(stream.pointee.avail_out) < target.count { return target.count - Int(stream.pointee.avail_out) }
    }
  }

  private var damaged: SensorError { .malformed(path: source.path, what: "gzip that is damaged or breaks off") }
}
