import Telemetry

/// Makes one block, column by column.
struct BlockEncoder {
  private let tier: Tier
  private let times: BlockTimes
  private var columns: [UInt8] = []
  private var entries: [BlockEntry] = []

  init(_ tier: Tier, _ times: BlockTimes) {
    self.tier = tier
    self.times = times
    columns.reserveCapacity(1 << 14)
  }

  /// Adds the values of the next series, by ascending id.
  mutating func add(_ series: Int, _ values: ArraySlice<Double>, digits: Int, _ encoder: inout ColumnEncoder) {
    let start = columns.count
    let form = encoder.append(values, digits: digits, to: &columns)
    note(series, start, form)
  }

  /// Adds the rollups of the next series, by ascending id.
  mutating func add(_ series: Int, _ column: RollupColumn, digits: Int, _ encoder: inout ColumnEncoder) {
    let start = columns.count
    let form = encoder.append(column, digits: digits, to: &columns)
    note(series, start, form)
  }

  private mutating func note(_ series: Int, _ start: Int, _ form: ColumnForm) {
    // A series without a value here needs no entry.
    guard form.count > 0 else { return }
    let bytes = start..<columns.count
    entries.append(BlockEntry(series: series, bytes: bytes, form: form, checksum: Checksum.of(columns, bytes)))
  }

  /// The whole block.
  func finish() -> [UInt8] {
    var directory: [UInt8] = []
    var integers = IntegerEncoder()
    for times in (tier == .raw ? [times.sequences] : []) + [times.epochs, times.milliseconds] {
      integers.plan(times)
      integers.write(IntegerEncoder.packed, to: &directory)
    }
    var before = -1
    for entry in entries {
      entry.write(after: before, rows: times.count, to: &directory)
      before = entry.series
    }
    var bytes: [UInt8] = [BlockFormat.version, UInt8(tier.rawValue), 0, 0]
    bytes.reserveCapacity(BlockFormat.headBytes + directory.count + columns.count)
    let length = BlockFormat.headBytes + directory.count + columns.count
    for number in [entries.count, times.count, directory.count, length] {
      LittleEndian.append(UInt32(clamping: number), to: &bytes)
    }
    LittleEndian.append(Checksum.of(directory, 0..<directory.count), to: &bytes)
    LittleEndian.append(Checksum.of(bytes, 0..<24), to: &bytes)
    return bytes + directory + columns
  }
}

/// What a block says of itself: its times and where its columns lie.
struct BlockDirectory {
  let head: BlockHead
  private(set) var times = BlockTimes()
  private(set) var entries: [BlockEntry] = []

  /// Reads the directory of a block whose head was read; `bytes` are those that follow the head. With a series, only its entry is kept.
  init(_ head: BlockHead, _ bytes: UnsafeRawBufferPointer, only series: Int? = nil) throws(BlockDamage) {
    self.head = head
    guard bytes.count == head.directoryBytes, Checksum.of(bytes) == head.directoryChecksum else { throw .damaged }
    var reader = VarintReader(bytes)
    var integers: [Int64] = []
    for part in (head.tier == .raw ? [\BlockTimes.sequences] : []) + [\.epochs, \.milliseconds]
      as [WritableKeyPath<BlockTimes, [Int64]>]
    {
      guard let mode = reader.byte(), mode < 16, IntegerDecoder.read(head.rows, mode: mode, from: &reader, to: &integers) else {
        throw .damaged
      }
      times[keyPath: part] = integers
    }
    var before = -1
    var offset = BlockFormat.headBytes + head.directoryBytes
    for _ in 0..<head.columns {
      guard let entry = BlockEntry(after: before, at: offset, rows: head.rows, from: &reader),
        entry.bytes.upperBound <= head.length
      else { throw .damaged }
      (before, offset) = (entry.series, entry.bytes.upperBound)
      if let series {
        if entry.series == series { entries = [entry] }
        if entry.series >= series { return }
      } else {
        entries.append(entry)
      }
    }
    guard series != nil || (reader.isAtEnd && offset == head.length) else { throw .damaged }
  }
}

/// A block with all its columns in memory.
struct BlockDecoder {
  let directory: BlockDirectory
  private let bytes: [UInt8]
  private var decoder = ColumnDecoder()

  init(_ bytes: [UInt8]) throws(BlockDamage) {
    directory = try BlockDirectory(try BlockHead(bytes, blobBytes: bytes.count), bytes)
    self.bytes = bytes
  }

  /// Reads the values of an entry of a raw block; false when they are damaged.
  mutating func read(_ entry: BlockEntry, to values: inout [Double]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      decoder.read(checked: UnsafeRawBufferPointer(rebasing: bytes[entry.bytes]), entry, rows: directory.head.rows, to: &values)
    }
  }
}

extension BlockDirectory {
  /// Reads the directory from the first bytes of a block, of which there may be more.
  init(_ head: BlockHead, _ block: [UInt8], only series: Int? = nil) throws(BlockDamage) {
    let part = BlockFormat.headBytes..<BlockFormat.headBytes + head.directoryBytes
    guard part.upperBound <= block.count else { throw .damaged }
    let outcome = block.withUnsafeBytes { bytes -> Result<BlockDirectory, BlockDamage> in
      do throws(BlockDamage) {
        return .success(try BlockDirectory(head, UnsafeRawBufferPointer(rebasing: bytes[part]), only: series))
      } catch {
        return .failure(error)
      }
    }
    self = try outcome.get()
  }
}

extension ColumnDecoder {
  /// Reads the values of an entry's column, its checksum first; false when they are damaged.
  mutating func read(
    checked bytes: UnsafeRawBufferPointer, _ entry: BlockEntry, rows: Int, to values: inout [Double]
  ) -> Bool {
    Checksum.of(bytes) == entry.checksum && read(bytes, form: entry.form, rows: rows, to: &values)
  }

  mutating func read(_ bytes: [UInt8], _ entry: BlockEntry, rows: Int, to values: inout [Double]) -> Bool {
    bytes.withUnsafeBytes { read(checked: $0, entry, rows: rows, to: &values) }
  }

  mutating func read(_ bytes: [UInt8], _ entry: BlockEntry, rows: Int, to column: inout RollupColumn) -> Bool {
    bytes.withUnsafeBytes {
      Checksum.of($0) == entry.checksum && read($0, form: entry.form, rows: rows, to: &column)
    }
  }
}
