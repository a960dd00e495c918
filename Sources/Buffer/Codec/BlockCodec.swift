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
  mutating func add(_ series: Int, _ values: some RandomAccessCollection<Double>, digits: Int, _ encoder: inout ColumnEncoder) {
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
    for part in (head.tier == .raw ? [\BlockTimes.sequences] : []) + [\.epochs, \.milliseconds] as [WritableKeyPath<BlockTimes, [Int64]>] {
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
    let head = try BlockHead(bytes, blobBytes: bytes.count)
    let part = BlockFormat.headBytes..<BlockFormat.headBytes + head.directoryBytes
    let outcome = bytes.withUnsafeBytes { bytes -> Result<BlockDirectory, BlockDamage> in
      do throws(BlockDamage) {
        return .success(try BlockDirectory(head, UnsafeRawBufferPointer(rebasing: bytes[part])))
      } catch {
        return .failure(error)
      }
    }
    directory = try outcome.get()
    self.bytes = bytes
  }

  /// Reads the values of an entry.
  mutating func read(_ entry: BlockEntry, to values: inout [Double]) throws(BlockDamage) {
    guard directory.head.tier == .raw else { throw .damaged }
    let isGood = bytes.withUnsafeBytes { bytes in
      let column = UnsafeRawBufferPointer(rebasing: bytes[entry.bytes])
      return Checksum.of(column) == entry.checksum
        && decoder.read(column, form: entry.form, rows: directory.head.rows, to: &values)
    }
    guard isGood else { throw .damaged }
  }

  /// Reads the rollups of an entry.
  mutating func read(_ entry: BlockEntry, to column: inout RollupColumn) throws(BlockDamage) {
    guard directory.head.tier != .raw else { throw .damaged }
    let isGood = bytes.withUnsafeBytes { bytes in
      let found = UnsafeRawBufferPointer(rebasing: bytes[entry.bytes])
      return Checksum.of(found) == entry.checksum
        && decoder.read(found, form: entry.form, rows: directory.head.rows, to: &column)
    }
    guard isGood else { throw .damaged }
  }
}
