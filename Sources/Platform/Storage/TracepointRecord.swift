import Telemetry

/// Where a tracepoint of block requests has its fields: they move from kernel to kernel, so its `format` file is asked.
///
/// ```
/// ID: 2104
///  field:dev_t dev; offset:8; size:4; signed:0;
///  field:char rwbs[10]; offset:34; size:10; signed:0;
/// ```
struct TracepointFormat {
  /// The number that perf_event_open(2) takes.
  let identifier: UInt64
  private let device, sector, letters: (offset: Int, size: Int)

  /// Nil where it is another tracepoint.
  init?(_ text: inout ByteScanner) {
    var identifier: UInt64?
    var found: [(offset: Int, size: Int)?] = [nil, nil, nil]
    while !text.isAtEnd {
      if text.skip("ID:") { identifier = text.unsigned() }
      text.skipBlanks()
      if text.skip("field:") {
        let name = text.text(until: UInt8(ascii: ";")).split(separator: " ").last ?? ""
        let index = name == "dev" ? 0 : name == "sector" ? 1 : name.hasPrefix("rwbs[") ? 2 : nil
        _ = text.skip(byte: UInt8(ascii: ";"))
        text.skipBlanks()
        if let index, text.skip("offset:"), let offset = text.unsigned(), text.skip(byte: UInt8(ascii: ";")) {
          text.skipBlanks()
          if text.skip("size:"), let size = text.unsigned(), offset < 4096, size <= 64 {
            found[index] = (Int(offset), Int(size))
          }
        }
      }
      text.skipLine()
    }
    guard let identifier, let device = found[0], let sector = found[1], let letters = found[2], device.size == 4,
      sector.size == 4 || sector.size == 8
    else { return nil }
    (self.identifier, self.device, self.sector, self.letters) = (identifier, device, sector, letters)
  }

  /// What the raw fields say; nil where they are cut, or neither read nor write.
  func request(_ raw: ArraySlice<UInt8>, at nanoseconds: UInt64, isDone: Bool) -> BlockRequest? {
    guard let device = integer(raw, device), let sector = integer(raw, sector), raw.count >= letters.offset + letters.size,
      let writes = isWrite(rwbs: raw.dropFirst(letters.offset).prefix(letters.size))
    else { return nil }
    return BlockRequest(
      nanoseconds: nanoseconds, device: UInt32(truncatingIfNeeded: device), sector: sector, isWrite: writes, isDone: isDone)
  }
}

/// A record of a ring of perf_event_open(2), with PERF_SAMPLE_TIME and PERF_SAMPLE_RAW. All in the byte order of the machine.
///
/// ```
///  0        4      6      8                16         20
/// ┌────────┬──────┬──────┬────────────────┬──────────┬─────────────────────────────────┐
/// │type = 9│ misc │ size │ time, ns       │ raw size │ raw: common_type (2 bytes), …   │  PERF_RECORD_SAMPLE
/// ├────────┼──────┼──────┼────────────────┼──────────┴─────┬───────────────────────────┘
/// │type = 2│ misc │ size │ event          │ lost           │                              PERF_RECORD_LOST
/// └────────┴──────┴──────┴────────────────┴────────────────┘
/// ```
struct TracepointRecords {
  let issue, completion: TracepointFormat
  /// Records that found no room.
  private(set) var lost: UInt64 = 0

  init(issue: TracepointFormat, completion: TracepointFormat) { (self.issue, self.completion) = (issue, completion) }

  /// What a record says; nil when it is no read or write, or not whole.
  mutating func take(_ record: ArraySlice<UInt8>) -> BlockRequest? {
    guard let type = integer(record, (0, 4)), let time = integer(record, (8, 8)) else { return nil }
    if type == 2 { lost &+= integer(record, (16, 8)) ?? 0 }
    guard type == 9, let size = integer(record, (16, 4)) else { return nil }
    let raw = record.dropFirst(20).prefix(Int(size))
    switch integer(raw, (0, 2)) {
    case issue.identifier: return issue.request(raw, at: time, isDone: false)
    case completion.identifier: return completion.request(raw, at: time, isDone: true)
    default: return nil
    }
  }

  /// How many were lost since this was asked last.
  mutating func takeLost() -> UInt64 {
    defer { lost = 0 }
    return lost
  }
}

/// A whole number of 2, 4 or 8 bytes in the machine's order; nil past the end.
private func integer(_ bytes: ArraySlice<UInt8>, _ field: (offset: Int, size: Int)) -> UInt64? {
  bytes.withUnsafeBytes { raw in
    guard field.offset + field.size <= raw.count else { return nil }
    switch field.size {
    case 2: return UInt64(raw.loadUnaligned(fromByteOffset: field.offset, as: UInt16.self))
    case 4: return UInt64(raw.loadUnaligned(fromByteOffset: field.offset, as: UInt32.self))
    default: return raw.loadUnaligned(fromByteOffset: field.offset, as: UInt64.self)
    }
  }
}
