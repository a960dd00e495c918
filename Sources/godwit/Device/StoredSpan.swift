import Buffer
import Telemetry

/// The newest stretch of a buffer: what `--since` means. It is counted back from the newest tick, so that the card of a device that
/// died long ago answers, too.
struct StoredSpan {
  let reader: BufferReader
  /// Unix milliseconds.
  let from: Int64
  let to: Int64
  private let ranges: [ClosedRange<UInt64>]

  /// Opens a buffer.
  init(path: String, sinceMilliseconds: Int?) throws {
    do {
      let reader = try BufferReader(path: path)
      guard let extent = try reader.extent() else { throw Failure("\(path): the buffer holds no ticks") }
      let (first, last) = try Self.bounds(reader, extent)
      self.reader = reader
      to = last
      from = min(last, sinceMilliseconds.map { last - Int64(min($0, Self.longestMilliseconds)) } ?? first)
      ranges = try reader.sequences(wall: from...to)
    } catch let error as BufferError {
      throw Failure("\(error)")
    }
  }

  /// The years 1 to 9999. A damaged epoch may say anything; sums and differences of these stay far from the end of all numbers.
  private static let times: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999
  private static let longestMilliseconds = 1 << 50

  private static func bounds(_ reader: BufferReader, _ extent: ClosedRange<UInt64>) throws(BufferError) -> (Int64, Int64) {
    var times: [Int64] = []
    for sequence in [extent.lowerBound, extent.upperBound] {
      _ = try reader.ticks(sequence...sequence) { tick in
        times.append(min(max(tick.wallMilliseconds, Self.times.lowerBound), Self.times.upperBound))
        return false
      }
    }
    return (times.first ?? 0, times.last ?? 0)
  }

  /// How many ticks `each` can give at most.
  func count() throws -> UInt64 {
    do throws(BufferError) {
      var sum: UInt64 = 0
      for range in ranges { sum += try reader.count(range) }
      return sum
    } catch {
      throw Failure("\(error)")
    }
  }

  /// Gives the ticks in their order to `body`, until it returns false.
  ///
  /// - Returns: how many could not be decoded.
  func each(_ body: (borrowing StoredTick) -> Bool) throws -> Int {
    var damaged = 0
    var goesOn = true
    do throws(BufferError) {
      for range in ranges where goesOn {
        damaged += try reader.ticks(range) { tick in
          guard (from...to).contains(tick.wallMilliseconds) else { return true }
          goesOn = body(tick)
          return goesOn
        }
      }
    } catch {
      throw Failure("\(error)")
    }
    return damaged
  }
}
