import Buffer
import Glibc
import Platform
import Telemetry

/// A stretch of a buffer: what `--since` and `--until` mean. Durations are counted back from the newest tick, so that the card of a
/// device that died long ago answers, too.
struct StoredSpan {
  let reader: BufferReader
  /// Unix milliseconds.
  let from: Int64
  let to: Int64
  /// When the buffer holds anything.
  let held: [ClosedRange<Int64>]

  /// The years 1 to 9999. A damaged epoch may say anything; sums and differences of these stay far from the end of all numbers.
  private static let times: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

  /// Opens a buffer.
  init(path: String, since: Moment?, until: Moment? = nil) throws {
    reader = try BufferPlace.open(path)
    do {
      guard let extent = try reader.extent(), case let found = try reader.wallStretches(),
        let first = found.first?.lowerBound, let last = found.last?.upperBound
      else {
        throw Failure("\(path): the buffer holds no ticks yet; a running agent writes them every few seconds")
      }
      held = found
      var newest = last
      _ = try reader.ticks(extent.upperBound...extent.upperBound) { tick in
        newest = tick.wallMilliseconds
        return false
      }
      newest = Self.plausible(newest)
      from = Self.plausible(since?.before(newest) ?? min(first, newest))
      if let until {
        to = Self.plausible(until.before(newest))
      } else if case .back? = since {
        to = newest
      } else {
        to = Self.plausible(max(last, newest))
      }
      try check(path, since: since, until: until)
    } catch let error as BufferError {
      throw Failure("\(error)")
    }
  }

  /// That something can be stored from `from` to `to`.
  private func check(_ path: String, since: Moment?, until: Moment?) throws {
    if from > to, since != nil, until != nil {
      throw Failure(
        "--since (\(WallTime.text(from))) is later than --until (\(WallTime.text(to))): nothing can lie between them", status: 2)
    }
    let stored = held.map { Self.plausible($0.lowerBound)...Self.plausible($0.upperBound) }
    // The newest rollup begins an hour before its end at most.
    let reach = Tier.hour.stepMilliseconds
    if from <= to, stored.contains(where: { $0.lowerBound <= to && $0.upperBound + reach > from }) { return }
    let first = stored.first.map { WallTime.text($0.lowerBound) } ?? "nothing"
    let last = stored.last.map { WallTime.text($0.upperBound) } ?? "nothing"
    throw Failure("\(path): nothing is stored of the time asked for; it holds \(first) to \(last)")
  }

  private static func plausible(_ time: Int64) -> Int64 { min(max(time, times.lowerBound), times.upperBound) }

  init(path: String, sinceMilliseconds: Int?) throws {
    try self.init(path: path, since: sinceMilliseconds.map { .back(Int64($0)) })
  }

  /// How many ticks `each` can give at most.
  func count() throws -> UInt64 {
    try Failure.rethrow {
      var sum: UInt64 = 0
      for range in try reader.sequences(wall: from...to) { sum += try reader.count(range) }
      return sum
    }
  }

  /// Gives the ticks by ascending wall time to `body`, until it returns false.
  ///
  /// - Returns: what could not be read on the way.
  func each(_ body: (borrowing StoredTick) -> Bool) throws -> ReadDamage {
    try Failure.rethrow { try reader.ticks(wall: from...to, body) }
  }
}

/// `10m`, `24h`, `7d` back from the newest tick, or a time as `2026-11-20T22:40Z`.
enum Moment: Hashable {
  case back(Int64)
  case at(Int64)

  /// Beyond all years that a buffer can hold.
  private static let longest: Int64 = 1 << 50

  init?(_ text: String) {
    if let milliseconds = Quantity.milliseconds(text), milliseconds > 0 {
      self = .back(Int64(milliseconds))
    } else if let time = WallTime.milliseconds(text) {
      self = .at(time)
    } else {
      return nil
    }
  }

  /// Whether it is later than another, whatever the newest tick is; false where that decides.
  func isAfter(_ other: Moment) -> Bool {
    switch (self, other) {
    case (.back(let own), .back(let length)): own < length
    case (.at(let own), .at(let time)): own > time
    default: false
    }
  }

  func earlier(by milliseconds: Int64) -> Moment {
    switch self {
    case .back(let length): .back(min(length, Self.longest) + milliseconds)
    case .at(let time): .at(time - milliseconds)
    }
  }

  /// Unix milliseconds.
  func before(_ newest: Int64) -> Int64 {
    switch self {
    case .back(let milliseconds): newest - min(milliseconds, Self.longest)
    case .at(let time): time
    }
  }
}

extension Failure {
  /// Says what the buffer says, or a file that could not be written.
  static func rethrow<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as BufferError {
      throw Failure("\(error)")
    } catch SensorError.io(let path, let code) {
      throw Failure("cannot write \(path): \(String(cString: strerror(code)))")
    }
  }
}
