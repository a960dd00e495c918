import Buffer
import Platform
import Telemetry

/// Values of one series over a time, in a fixed number of equal parts: constant memory however long the time is.
struct History: Sendable {
  /// What one part holds.
  struct Part: Sendable, Equatable {
    var count = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity
    var sum = 0.0
    var mean: Double { sum / Double(count) }

    mutating func add(_ other: Part) {
      count += other.count
      minimum = min(minimum, other.minimum)
      maximum = max(maximum, other.maximum)
      sum += other.sum
    }
  }

  /// Unix milliseconds, both within.
  let from: Int64
  let to: Int64
  private(set) var parts: [Part]

  init(from: Int64, to: Int64, parts: Int) {
    self.from = from
    self.to = max(to, from)
    self.parts = Array(repeating: Part(), count: max(parts, 1))
  }

  /// Parts of one step each, that begin at multiples of it since 1970 as rollups do: one that began elsewhere would show a rollup
  /// beside its time. Where `limit` of them do not cover the time, the steps become a whole number of times longer.
  init(from: Int64, to: Int64, stepMilliseconds: Int64, limit: Int) {
    // Beginning and end may both lie within a step: one more than fits.
    let step = stepMilliseconds * ((max(to, from) - from) / (stepMilliseconds * Int64(max(limit - 1, 1))) + 1)
    let begin = from.flooredMultiple(of: step)
    let end = max(to, from).flooredMultiple(of: step) + step - 1
    self.init(from: begin, to: end, parts: Int((end - begin + 1) / step))
  }

  /// Adds a value; what is missing, not finite or outside of the time is left out.
  mutating func add(_ value: Double, at time: Int64) {
    guard value.isFinite, time >= from, time <= to else { return }
    let index = Int((time - from) * Int64(parts.count) / (to - from + 1))
    parts[index].add(Part(count: 1, minimum: value, maximum: value, sum: value))
  }

  /// Adds a rollup, which counts for the part in which it begins; one that begins before the time counts for the first.
  mutating func add(_ rollup: Rollup, at time: Int64) {
    guard rollup.count > 0, rollup.sum.isFinite, time <= to else { return }
    let index = time <= from ? 0 : Int((time - from) * Int64(parts.count) / (to - from + 1))
    parts[index].add(Part(count: rollup.count, minimum: rollup.min, maximum: rollup.max, sum: rollup.sum))
  }

  /// The same with as few parts as its values want: a sensor slower than a column must not look like one that fails.
  func coarsened() -> History {
    let values = parts.reduce(0) { $0 + $1.count }
    let wanted = max(values / 2, 4)
    guard wanted < parts.count else { return self }
    var coarse = History(from: from, to: to, parts: wanted)
    for (index, part) in parts.enumerated() where part.count > 0 {
      coarse.parts[index * wanted / parts.count].add(part)
    }
    return coarse
  }

  var isEmpty: Bool { parts.allSatisfy { $0.count == 0 } }
  var minimum: Double { parts.map(\.minimum).min() ?? .infinity }
  var maximum: Double { parts.map(\.maximum).max() ?? -.infinity }

  /// When a part begins.
  func start(of part: Int) -> Int64 { from + (to - from + 1) * Int64(part) / Int64(parts.count) }

  /// A line a part that has values: time, least, mean, greatest, number of values.
  func table(unit: String) -> [String] {
    var table = Table(.left, .right, .right, .right, .right)
    table.add(Span("time (UTC)"), Span("min"), Span("mean"), Span("max"), Span("values"))
    for (index, part) in parts.enumerated() where part.count > 0 {
      let time = WallTime.text(start(of: index))
      table.add(
        Span("\(time.prefix(10)) \(time.dropFirst(11).prefix(8))"), Span(Reading.text(part.minimum, unit: unit)),
        Span(Reading.text(part.mean, unit: unit)), Span(Reading.text(part.maximum, unit: unit)), Span("\(part.count)"))
    }
    return table.lines(indent: 2)
  }

  /// A column a part, as high as its mean and as wide as `width` allows; a part without values stays empty.
  func plot(unit: String, width: Int, height: Int, style: Style) -> [String] {
    let low = minimum
    let range = maximum > low ? maximum - low : 1
    let stretch = max(width / parts.count, 1)
    let labels = (0..<height).map { row in
      row == 0 ? Reading.text(maximum, unit: unit) : row == height - 1 ? Reading.text(low, unit: unit) : ""
    }
    let margin = labels.map(\.count).max() ?? 0
    var lines = (0..<height).map { row in
      let columns = parts.map { part in
        let block = part.count == 0 ? " " : Self.block((part.mean - low) / range, row: height - 1 - row, height: height)
        return String(repeating: block, count: stretch)
      }
      return Self.padded(labels[row], margin) + " ┤" + style.paint(columns.joined(), .green)
    }
    let (first, last) = (moment(from), moment(to))
    let gap = max(parts.count * stretch - first.count - last.count, 1)
    lines.append(Self.padded("", margin) + "  " + first + String(repeating: " ", count: gap) + last)
    return lines
  }

  /// The time of day; with the date when the time is longer than a day.
  private func moment(_ time: Int64) -> String {
    let text = WallTime.text(time)
    let clock = text.dropFirst(11).prefix(8)
    return to - from > 86_400_000 ? "\(text.prefix(10)) \(clock)" : String(clock)
  }

  private static let eighths = ["▁", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The part of a column that lies in a row, counted from below; the lowest row always shows something.
  private static func block(_ share: Double, row: Int, height: Int) -> String {
    let filled = Int((share * Double(height * 8)).rounded()) - row * 8
    if filled >= 8 { return "█" }
    if filled > 0 { return eighths[filled] }
    return row == 0 ? "▁" : " "
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
  }
}
