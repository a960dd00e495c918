import Buffer
import Telemetry

/// The ticks that a command is about: `{"first":…,"last":…}` by sequence number, or `{"from":…,"to":…}` by time.
enum CommandRange {
  case sequences(ClosedRange<UInt64>)
  /// Unix milliseconds.
  case wall(ClosedRange<Int64>)

  init(_ arguments: JSONValue) throws(CommandFault) {
    if let first = arguments["first"]?.whole, let last = arguments["last"]?.whole {
      guard first >= 1, first <= last else { throw CommandFault("'first' must be at least 1 and not beyond 'last'") }
      self = .sequences(UInt64(first)...UInt64(last))
      return
    }
    guard let from = arguments["from"]?.text.flatMap({ WallTime.milliseconds($0) }),
      let to = arguments["to"]?.text.flatMap({ WallTime.milliseconds($0) }), from <= to
    else {
      throw CommandFault("it names no range: 'first' and 'last' as sequence numbers, or 'from' and 'to' as times")
    }
    self = .wall(from...to)
  }

  /// Numbers are reserved ahead, so they may step between two runs: what was never a tick is not asked for, and not counted as lost. Halves
  /// the range until each part is whole or empty.
  private static func gather(
    _ range: ClosedRange<UInt64>, of reader: BufferReader, into ranges: inout [ClosedRange<UInt64>]
  ) throws(BufferError) {
    let count = try reader.count(range)
    guard count > 0, ranges.count <= UplinkLimits.Commands.ranges else { return }
    guard count < UInt64(range.count) else {
      if let last = ranges.last, last.upperBound + 1 == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound...range.upperBound
      } else {
        ranges.append(range)
      }
      return
    }
    let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
    try gather(range.lowerBound...middle, of: reader, into: &ranges)
    try gather(middle + 1...range.upperBound, of: reader, into: &ranges)
  }

  /// The stretches of stored ticks that it names, ascending; never none, and bounded.
  func stored(
    in reader: BufferReader, mostTicks: UInt64 = UplinkLimits.Commands.ticks
  ) throws(CommandFault) -> [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    do throws(BufferError) {
      switch self {
      case .sequences(let range):
        if let extent = try reader.extent(), extent.overlaps(range) {
          try Self.gather(range.clamped(to: extent), of: reader, into: &ranges)
        }
      case .wall(let range):
        for stretch in try reader.sequences(wall: range) { try Self.gather(stretch, of: reader, into: &ranges) }
      }
    } catch {
      throw CommandFault("the buffer cannot be read: \(error)")
    }
    guard !ranges.isEmpty else { throw CommandFault("the buffer holds nothing of the range") }
    guard ranges.count <= UplinkLimits.Commands.ranges,
      ranges.reduce(0, { $0 + UInt64($1.count) }) <= mostTicks
    else { throw CommandFault("the range has more than \(mostTicks) ticks: take it in parts") }
    return ranges
  }
}
