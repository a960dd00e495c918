import Telemetry

/// A raw block from elsewhere: everything in it is checked, nothing in it is believed.
public struct ReceivedBlock: Sendable {
  /// Why it cannot be read.
  public enum Fault: Error, Hashable, Sendable {
    /// A checksum or a number in it is wrong.
    case damaged
    /// A later version wrote it.
    case unknownVersion(UInt8)
    /// Rows times series are more than `BufferLimits.valuesPerPart`: in no block that was made for sending they are.
    case tooLarge
  }

  /// Sequence numbers, ascending.
  public let sequences: [UInt64]
  /// The epoch's id of each row.
  public let epochs: [Int]
  /// CLOCK_BOOTTIME milliseconds of each row.
  public let milliseconds: [Int64]
  /// One above the highest series id.
  public let width: Int
  private let series: [Int]
  /// Column after column.
  private let cells: [Double]

  /// Decodes all of a block.
  public init(_ bytes: [UInt8]) throws(Fault) {
    var decoder = try Self.open(bytes)
    let (times, entries) = (decoder.directory.times, decoder.directory.entries)
    guard decoder.directory.head.tier == .raw, times.isAscending,
      times.sequences.allSatisfy({ $0 < BufferLimits.largestNumber })
    else { throw .damaged }
    sequences = times.sequences.map { UInt64(clamping: $0) }
    epochs = times.epochs.map { Int($0) }
    milliseconds = times.milliseconds
    series = entries.map(\.series)
    width = (series.last ?? -1) + 1
    // Constant columns of a few bytes, or one of a high series, could ask for gigabytes.
    guard width <= Limits.seriesPerNode, width * times.count <= BufferLimits.valuesPerPart else { throw .tooLarge }
    var cells: [Double] = []
    cells.reserveCapacity(entries.count * times.count)
    var values: [Double] = []
    for entry in entries {
      guard decoder.read(entry, to: &values) else { throw .damaged }
      cells.append(contentsOf: values)
    }
    self.cells = cells
  }

  private static func open(_ bytes: [UInt8]) throws(Fault) -> BlockDecoder {
    do throws(BlockDamage) {
      return try BlockDecoder(bytes)
    } catch {
      switch error {
      case .damaged: throw .damaged
      case .unknownVersion(let version): throw .unknownVersion(version)
      }
    }
  }

  /// The values of a row by series id, `missing` where none was taken.
  public func values(ofRow row: Int) -> [Double] {
    var values = [Double](repeating: .missing, count: width)
    for (column, id) in series.enumerated() { values[id] = cells[column * sequences.count + row] }
    return values
  }
}

extension BlockTimes {
  /// Whether the sequence numbers are as a writer gives them.
  var isAscending: Bool {
    (sequences.first ?? 0) >= 0 && zip(sequences, sequences.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// Those of some rows.
  func rows(_ rows: Range<Int>) -> BlockTimes {
    BlockTimes(
      sequences: Array(sequences[rows]), epochs: Array(epochs[rows]), milliseconds: Array(milliseconds[rows]))
  }
}
