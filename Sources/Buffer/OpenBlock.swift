import Telemetry

/// A block with all its values in memory, read tick by tick. A damaged column costs itself alone: its series is missing in every row.
struct OpenBlock {
  struct Row {
    var sequence: UInt64
    var epoch: Int
    var milliseconds: Int64
  }

  /// Columns that could not be decoded.
  private(set) var damagedColumns = 0
  private let times: BlockTimes
  private let width: Int
  /// The series of each column in `cells`.
  private var series: [Int] = []
  /// Column after column.
  private var cells: [Double] = []
  private var row = -1
  private var isFilled = false

  /// Decodes a raw block; throws when its head or directory is damaged.
  init(_ bytes: [UInt8]) throws(BlockDamage) {
    var decoder = try BlockDecoder(bytes)
    let directory = decoder.directory
    times = directory.times
    width = (directory.entries.last?.series ?? -1) + 1
    guard directory.head.tier == .raw, width <= BufferLimits.rowsPerBlock else { throw .damaged }
    series.reserveCapacity(directory.entries.count)
    cells.reserveCapacity(directory.entries.count * times.count)
    var values: [Double] = []
    for entry in directory.entries {
      guard decoder.read(entry, to: &values) else {
        damagedColumns += 1
        continue
      }
      series.append(entry.series)
      cells.append(contentsOf: values)
    }
  }

  /// Goes to the next row; nil after the last.
  mutating func next() -> Row? {
    guard row + 1 < times.count else { return nil }
    row += 1
    return Row(
      sequence: UInt64(clamping: times.sequences[row]), epoch: Int(times.epochs[row]), milliseconds: times.milliseconds[row])
  }

  /// The values of the row it stands on. `values` are those of the row before, or anything before the first.
  mutating func fill(_ values: inout [Double]) {
    if !isFilled || values.count != width {
      // Series without a column, or with a damaged one, stay missing in all rows.
      values = [Double](repeating: .missing, count: width)
      isFilled = true
    }
    var place = row
    for series in series {
      values[series] = cells[place]
      place += times.count
    }
  }
}
