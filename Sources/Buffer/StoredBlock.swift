/// A row of a tier's table, without its data.
struct BlockRecord: Hashable {
  static let columns = "first, last, rows, seals, epoch, at, until_epoch, until_at"

  var tier: Tier
  var first: UInt64
  var last: UInt64
  var rows: Int
  var seals = 1
  var epoch: Int
  /// CLOCK_BOOTTIME.
  var milliseconds: Int64
  var untilEpoch: Int
  var untilMilliseconds: Int64

  init(_ tier: Tier, _ statement: Statement) {
    self.tier = tier
    first = statement.sequence(0)
    last = statement.sequence(1)
    rows = Int(statement.integer(2))
    seals = Int(statement.integer(3))
    epoch = Int(statement.integer(4))
    milliseconds = statement.integer(5)
    untilEpoch = Int(statement.integer(6))
    untilMilliseconds = statement.integer(7)
  }

  init?(_ tier: Tier, _ sequences: ClosedRange<UInt64>, seals: Int, _ times: BlockTimes) {
    guard let epoch = times.epochs.first, let at = times.milliseconds.first, let untilEpoch = times.epochs.last,
      let untilAt = times.milliseconds.last
    else { return nil }
    self.tier = tier
    (first, last, rows, self.seals) = (sequences.lowerBound, sequences.upperBound, times.count, seals)
    (self.epoch, milliseconds, self.untilEpoch, untilMilliseconds) = (Int(epoch), at, Int(untilEpoch), untilAt)
  }

  /// Whether its times can be right: the columns beside the data are under no checksum, and SQLite has none. Where they cannot, the block's
  /// own directory says when its rows were.
  var isInOrder: Bool { epoch < untilEpoch || (epoch == untilEpoch && milliseconds <= untilMilliseconds) }

  /// Its sequence numbers; nil when they are damaged.
  var sequences: ClosedRange<UInt64>? { first <= last && last < BufferLimits.largestNumber ? first...last : nil }

  func insert(_ data: [UInt8], into database: Database) throws(BufferError) {
    let statement = try database.prepare("INSERT INTO \(tier.table)(\(Self.columns), data) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
    statement.bind(1, first)
    statement.bind(2, last)
    statement.bind(3, rows)
    statement.bind(4, seals)
    statement.bind(5, epoch)
    statement.bind(6, milliseconds)
    statement.bind(7, untilEpoch)
    statement.bind(8, untilMilliseconds)
    statement.bind(9, data)
    try statement.run()
  }
}

extension Database {
  /// Records of a tier, by ascending first sequence number unless `order` says otherwise.
  func blocks(
    _ tier: Tier, where condition: String = "1", order: String = "first", limit: Int = .max
  ) throws(BufferError) -> [BlockRecord] {
    var records: [BlockRecord] = []
    try eachBlock(tier, where: condition, order: order, limit: limit) { record in
      records.append(record)
      return true
    }
    return records
  }

  /// The same one by one until `body` returns false: reading them all takes a page each.
  func eachBlock(
    _ tier: Tier, where condition: String = "1", order: String = "first", limit: Int = .max,
    _ body: (BlockRecord) throws(BufferError) -> Bool
  ) throws(BufferError) {
    guard hasBlocks else { return }
    let statement = try prepare(
      "SELECT \(BlockRecord.columns) FROM \(tier.table) WHERE \(condition) ORDER BY \(order) LIMIT \(limit)")
    while try statement.step(), try body(BlockRecord(tier, statement)) {}
  }

  /// Raw blocks that hold any of a range of sequence numbers.
  func blocks(overlapping range: ClosedRange<UInt64>) throws(BufferError) -> [BlockRecord] {
    try blocks(.raw, where: Self.overlapping(range))
  }

  /// The first raw block that can hold any of a range. It ends where the next one or the rows begin, whatever its record says.
  func firstBlock(overlapping range: ClosedRange<UInt64>) throws(BufferError) -> BlockRecord? {
    let found = try blocks(.raw, where: Self.beginning(in: range), limit: 2)
    guard var block = found.first else { return nil }
    let rows = try integer("SELECT min(seq) FROM tick").map { UInt64(clamping: $0) }
    guard let next = found.count > 1 ? found[1].first : rows, next > block.first else {
      return block.last >= range.lowerBound ? block : nil
    }
    guard next > range.lowerBound else { return nil }
    block.last = next - 1
    return block
  }

  static func overlapping(_ range: ClosedRange<UInt64>) -> String {
    "\(beginning(in: range)) AND last >= \(Int64(clamping: range.lowerBound))"
  }

  /// Blocks that begin in a range, and the one that begins before it.
  static func beginning(in range: ClosedRange<UInt64>) -> String {
    let (low, high) = (Int64(clamping: range.lowerBound), Int64(clamping: range.upperBound))
    return "first <= \(high) AND first >= coalesce((SELECT max(first) FROM block WHERE first <= \(low)), 0)"
  }

  /// The newest raw block.
  func lastBlock() throws(BufferError) -> BlockRecord? { try blocks(.raw, order: "first DESC", limit: 1).first }
}

extension [BlockRecord] {
  /// The same, each reaching from the end of the one before to the begin of the next within one epoch: a wrong time in one record then hides
  /// nothing, and costs a look at a block in vain.
  var reachingNeighbours: [BlockRecord] {
    var wide = self
    for (place, next) in indices.dropFirst().enumerated() where self[place].untilEpoch == self[next].epoch {
      wide[place].untilMilliseconds = Swift.max(self[place].untilMilliseconds, self[next].milliseconds)
      wide[next].milliseconds = Swift.min(self[place].untilMilliseconds, self[next].milliseconds)
    }
    return wide
  }
}

/// A block read in parts: head and directory at once, then single columns.
struct StoredBlock {
  let record: BlockRecord
  let directory: BlockDirectory
  private let blob: Blob
  private var bytes: [UInt8] = []

  /// Reads head and directory; nil when they are damaged. With a series, only its entry is read.
  init?(_ record: BlockRecord, only series: Int? = nil, _ database: Database) throws(BufferError) {
    self.record = record
    blob = try database.openBlob(record.tier.table, "data", row: record.first)
    guard blob.count >= BlockFormat.headBytes else { return nil }
    // Head and a usual directory in one read.
    var bytes: [UInt8] = []
    let guess = min(blob.count, series == nil ? 4_096 : 3_072)
    try blob.read(0..<guess, into: &bytes)
    do throws(BlockDamage) {
      let head = try BlockHead(bytes, blobBytes: blob.count)
      guard head.tier == record.tier else { return nil }
      let end = BlockFormat.headBytes + head.directoryBytes
      if end > guess {
        do throws(BufferError) { try blob.read(0..<end, into: &bytes) } catch { throw .damaged }
      }
      directory = try BlockDirectory(head, bytes, only: series)
    } catch {
      if case .unknownVersion(let version) = error { throw Self.unknown(version, database) }
      return nil
    }
  }

  static func unknown(_ version: UInt8, _ database: Database) -> BufferError {
    BufferError(
      .newer, "read", path: database.path,
      message: "a block in it has layout \(version), this program knows \(BlockFormat.version): update it")
  }

  /// Reads the values of a series; nil when they are damaged.
  mutating func values(_ entry: BlockEntry, _ decoder: inout ColumnDecoder) throws(BufferError) -> [Double]? {
    try blob.read(entry.bytes, into: &bytes)
    var values: [Double] = []
    return decoder.read(bytes, entry, rows: directory.head.rows, to: &values) ? values : nil
  }

  /// Reads the rollups of a series; nil when they are damaged.
  mutating func rollups(_ entry: BlockEntry, _ decoder: inout ColumnDecoder) throws(BufferError) -> RollupColumn? {
    try blob.read(entry.bytes, into: &bytes)
    var column = RollupColumn()
    return decoder.read(bytes, entry, rows: directory.head.rows, to: &column) ? column : nil
  }
}

/// What one tier takes.
public struct TierSize: Hashable, Sendable {
  /// The tier.
  public var tier: Tier
  /// Sealed blocks.
  public var blocks: Int
  /// Ticks they were made of; numbers that were never used count too in rollups.
  public var ticks: Int
  /// Bytes of their data.
  public var bytes: Int
}

extension BufferReader {
  /// What each tier's blocks take.
  public func tierSizes() throws(BufferError) -> [TierSize] {
    var sizes: [TierSize] = []
    for tier in Tier.allCases where database.hasBlocks {
      let ticks = tier == .raw ? "rows" : "last - first + 1"
      let statement = try database.prepare("SELECT count(*), total(\(ticks)), total(length(data)) FROM \(tier.table)")
      guard try statement.step() else { continue }
      sizes.append(
        TierSize(
          tier: tier, blocks: Int(statement.integer(0)), ticks: Int(statement.integer(1)), bytes: Int(statement.integer(2))))
    }
    return sizes
  }
}
