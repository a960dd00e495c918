// How a tick lies in the table `tick`: its packed values (see TickCodec) and behind them a checksum over all of the row.
//
//   seq   epoch   at   back   values
//                             +----------------------+-----------+
//                             | format, count, …     | CRC       |
//                             |                      | 4 bytes   |
//                             +----------------------+-----------+
//
//   CRC   CRC-32 (zlib's), little-endian, of seq, epoch, at and back as eight bytes each, little-endian, and of the bytes before it
//
// Rows of formats 1 and 2 come from files of version 1 and 2 and have no checksum. Every other format has it, so that a later format and a
// damaged one can be told apart; the formats of today differ from those two in three bits.

/// What stands beside a tick's values in its row.
struct TickStamp: Hashable {
  static let checksumBytes = 4

  var sequence: UInt64
  var epoch: Int64
  /// CLOCK_BOOTTIME.
  var milliseconds: Int64
  var back: Int64

  init(sequence: UInt64, epoch: Int64, milliseconds: Int64, back: Int64) {
    (self.sequence, self.epoch, self.milliseconds, self.back) = (sequence, epoch, milliseconds, back)
  }

  /// Reads a row's first columns: seq, epoch, at, back.
  init(_ row: Statement) {
    self.init(sequence: row.sequence(0), epoch: row.integer(1), milliseconds: row.integer(2), back: row.integer(3))
  }

  func checksum(_ values: UnsafeRawBufferPointer) -> UInt32 {
    let numbers = (
      sequence.littleEndian, epoch.littleEndian, milliseconds.littleEndian, back.littleEndian
    )
    let begun = withUnsafeBytes(of: numbers) { Checksum.of($0) }
    return Checksum.of(values, after: begun)
  }
}

extension EncodedTick {
  /// The values as they lie in the row.
  var rowBytes: [UInt8] {
    let stamp = TickStamp(sequence: sequence, epoch: Int64(epoch), milliseconds: milliseconds, back: Int64(back))
    var row: [UInt8] = []
    row.reserveCapacity(bytes.count + TickStamp.checksumBytes)
    row += bytes
    LittleEndian.append(bytes.withUnsafeBytes { stamp.checksum($0) }, to: &row)
    return row
  }
}

extension TickDecoder {
  /// Decodes the next row as it lies in the file, after its checksum; nil when all is well.
  mutating func decode(_ stamp: TickStamp, row: UnsafeRawBufferPointer) -> TickCodecError? {
    guard let format = row.first else { return fail(.damaged) }
    var values = row
    if format != TickFormat.plainKey, format != TickFormat.plainDelta {
      guard row.count > TickStamp.checksumBytes else { return fail(.damaged) }
      let end = row.count - TickStamp.checksumBytes
      values = UnsafeRawBufferPointer(rebasing: row[..<end])
      let sum = UInt32(littleEndian: row.loadUnaligned(fromByteOffset: end, as: UInt32.self))
      guard stamp.checksum(values) == sum else { return fail(.damaged) }
    }
    // A row lost from the middle of its group takes the rest of the group along.
    guard stamp.back == 0 || stamp.sequence == expected else { return fail(.baseMissing) }
    let failure = decode(raw: values)
    if failure == nil { expected = stamp.sequence &+ 1 }
    return failure
  }

  /// A row of a later format is an error, not a loss.
  static func unknown(_ format: UInt8, _ database: Database) -> BufferError {
    BufferError(
      .newer, "read", path: database.path,
      message: "a tick in it has format \(format), which is a later one: update this program")
  }
}
