import Telemetry

// A block: what `data` holds in a row of the tables `block`, `minute` and `hour`. Numbers are little-endian; varints and zigzags are those of
// TickCodec.
//
//     0         1        2            4         8        12          16         20          24          28
//     +---------+--------+------------+---------+--------+-----------+----------+-----------+-----------+-----------+---------+
//     | version | tier   | 0 0        | columns | rows   | directory | length   | CRC of    | CRC of    | directory | columns |
//     | 1 byte  | 1 byte | 2 bytes    | 4       | 4      | bytes: 4  | bytes: 4 | directory | 0 … 24    |           |         |
//     +---------+--------+------------+---------+--------+-----------+----------+-----------+-----------+-----------+---------+
//
//   version    1. The first 28 bytes mean the same in every version, so that a later block and a damaged one can be told apart.
//   tier       0 raw: a row is a tick; 1 and 2: a row is a minute or an hour
//   directory  the rows' times, once: an integer stream (IntegerStream) each of
//                 sequence numbers (tier 0 only), epochs, CLOCK_BOOTTIME milliseconds (of a bucket's begin)
//              then one entry a column, by ascending series:
//                 varint  series − the series before − 1 (the first: series)
//                 byte    bits 0–3 digits after the point, bit 4 deflated
//                 varint  length of the column, bytes; columns lie in the order of the entries, without a gap
//                 varint  length before deflating, only where bit 4 is set
//                 varint  missing rows; when all are, the entry ends with its CRC here
//                 tokens  least, most and sum of what is there, as in TickCodec: even: zigzag of the scaled integer;
//                         1: eight bytes of IEEE 754 follow
//                 CRC     of the column, 4 bytes
//   column     see ColumnCodec
//   CRC        CRC-32 (zlib's). Header, directory and each column have their own, so that one series is read and checked without the
//              rest; together they cover every byte.

enum BlockFormat {
  static let version: UInt8 = 1
  static let headBytes = 28

  /// No column is longer: a rollup row is four doubles and a count, with the heads of their streams.
  static func largestColumn(rows: Int) -> Int { 256 + 64 * rows }
}

/// Why a block cannot be read.
enum BlockDamage: Error, Hashable {
  /// A checksum or a number in it is wrong.
  case damaged
  /// A later version of the agent wrote it.
  case unknownVersion(UInt8)
}

/// The first bytes of a block.
struct BlockHead: Hashable {
  var tier: Tier
  var columns: Int
  var rows: Int
  var directoryBytes: Int
  var length: Int
  var directoryChecksum: UInt32

  /// Checks and reads the head of a block of `blobBytes` bytes.
  init(_ bytes: [UInt8], blobBytes: Int) throws(BlockDamage) {
    guard bytes.count >= BlockFormat.headBytes,
      Checksum.of(bytes, 0..<24) == LittleEndian.read(at: 24, of: bytes)
    else { throw .damaged }
    guard bytes[0] == BlockFormat.version else { throw .unknownVersion(bytes[0]) }
    guard let tier = Tier(rawValue: Int(bytes[1])) else { throw .damaged }
    self.tier = tier
    columns = Int(LittleEndian.read(at: 4, of: bytes))
    rows = Int(LittleEndian.read(at: 8, of: bytes))
    directoryBytes = Int(LittleEndian.read(at: 12, of: bytes))
    length = Int(LittleEndian.read(at: 16, of: bytes))
    directoryChecksum = LittleEndian.read(at: 20, of: bytes)
    guard length == blobBytes, BlockFormat.headBytes + directoryBytes <= length, rows > 0, rows <= BufferLimits.rowsPerBlock,
      columns <= directoryBytes,
      // A directory of a few bytes may name any number of columns that are all the same.
      tier != .raw || columns * rows <= BufferLimits.valuesPerOpenBlock
    else { throw .damaged }
  }
}

/// When the rows of a block were.
struct BlockTimes: Hashable {
  /// Sequence numbers; none in a rollup block.
  var sequences: [Int64] = []
  var epochs: [Int64] = []
  /// CLOCK_BOOTTIME.
  var milliseconds: [Int64] = []

  var count: Int { epochs.count }
}

/// Where a column lies and what it holds.
struct BlockEntry {
  var series = 0
  /// From the block's first byte.
  var bytes = 0..<0
  var form = ColumnForm()
  var checksum: UInt32 = 0

  /// Writes the entry that follows one for `before`.
  func write(after before: Int, rows: Int, to bytes: inout [UInt8]) {
    WireNumber.append(varint: UInt64(series - before - 1), to: &bytes)
    bytes.append(UInt8(form.digits) | (form.inflatedBytes == nil ? 0 : 0x10))
    WireNumber.append(varint: UInt64(self.bytes.count), to: &bytes)
    if let inflated = form.inflatedBytes { WireNumber.append(varint: UInt64(inflated), to: &bytes) }
    WireNumber.append(varint: UInt64(rows - form.count), to: &bytes)
    if form.count > 0 {
      for number in [form.total.min, form.total.max, form.total.sum] { Self.write(number, form.digits, to: &bytes) }
    }
    LittleEndian.append(checksum, to: &bytes)
  }

  private static func write(_ number: Double, _ digits: Int, to bytes: inout [UInt8]) {
    if let scaled = TickFormat.scaled(number, Double.powersOfTen[digits]) {
      WireNumber.append(varint: WireNumber.zigzag(scaled) << 1, to: &bytes)
    } else {
      bytes.append(UInt8(TickFormat.rawToken))
      LittleEndian.append(number.bitPattern, to: &bytes)
    }
  }

  /// Reads the entry that follows one for `before`, its column beginning at `offset`; nil when it is damaged.
  init?(after before: Int, at offset: Int, rows: Int, from reader: inout VarintReader) {
    guard let gap = reader.varint(), gap < 1 << 31, let flags = reader.byte(), flags & 0x0F <= 9, flags & ~0x1F == 0,
      let length = reader.varint(), length < 1 << 31
    else { return nil }
    series = before + 1 + Int(gap)
    bytes = offset..<offset + Int(length)
    form.digits = Int(flags & 0x0F)
    if flags & 0x10 != 0 {
      guard let inflated = reader.varint(), inflated < 1 << 31 else { return nil }
      form.inflatedBytes = Int(inflated)
    }
    guard let missing = reader.varint(), missing <= UInt64(rows) else { return nil }
    form.count = rows - Int(missing)
    if form.count > 0 {
      guard let least = Self.number(form.digits, from: &reader), let most = Self.number(form.digits, from: &reader),
        let sum = Self.number(form.digits, from: &reader)
      else { return nil }
      (form.total.min, form.total.max, form.total.sum) = (least, most, sum)
    }
    guard let start = reader.take(4) else { return nil }
    checksum = (0..<4).reduce(0) { $0 | UInt32(reader.bytes[start + $1]) << UInt32(8 * $1) }
  }

  init(series: Int, bytes: Range<Int>, form: ColumnForm, checksum: UInt32) {
    (self.series, self.bytes, self.form, self.checksum) = (series, bytes, form, checksum)
  }

  private static func number(_ digits: Int, from reader: inout VarintReader) -> Double? {
    guard let token = reader.varint() else { return nil }
    if token == TickFormat.rawToken { return reader.bits().map(Double.init(bitPattern:)) }
    guard token & 1 == 0 else { return nil }
    let zigzag = token >> 1
    return Double(Int64(bitPattern: zigzag >> 1) ^ -Int64(zigzag & 1)) / Double.powersOfTen[digits]
  }
}
