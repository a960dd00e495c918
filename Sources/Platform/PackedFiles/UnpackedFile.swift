import Telemetry

/// A file as it was before it was packed: by what it begins with, gzip, LZ4, or neither.
struct UnpackedFile {
  private let source: FileSource
  private var gunzip: Gunzip?
  private var frame: LZ4Frame?
  private var left = PlatformLimits.unpackedBytes

  init(_ path: String, of host: Host, unpacks: Bool) throws(SensorError) {
    source = try FileSource(path, of: host)
    guard unpacks else { return }
    let head = try source.pending().prefix(4)
    if head.starts(with: [0x1F, 0x8B]) {
      gunzip = Gunzip(source)
    } else if head.elementsEqual([0x04, 0x22, 0x4D, 0x18]) {
      source.skip(4)
      frame = try LZ4Frame(source)
    }
  }

  /// Gives some bytes, nothing at the end.
  ///
  /// - Throws: `malformed` for what is damaged, or is more than `PlatformLimits.unpackedBytes`.
  mutating func read(into target: UnsafeMutableRawBufferPointer) throws(SensorError) -> Int {
    let count: Int
    if let gunzip {
      count = try gunzip.read(into: target)
    } else if let frame {
      count = try frame.read(into: target)
    } else {
      return try source.take(target)
    }
    left -= count
    guard left >= 0 else {
      throw .malformed(path: source.path, what: "more than \(PlatformLimits.unpackedBytes) bytes are packed in it")
    }
    return count
  }
}
