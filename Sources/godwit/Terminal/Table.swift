/// Rows of cells in aligned columns, two blanks apart. The last cell of a row with fewer cells than columns spans the rest of them.
struct Table {
  enum Alignment {
    case left
    case right
  }

  /// The least width in which text is broken beside the other columns, not below them.
  private static let leastRoom = 36

  private let alignments: [Alignment]
  private var rows: [[Span]] = []

  init(_ alignments: Alignment...) { self.alignments = alignments }
  init(_ alignments: [Alignment]) { self.alignments = alignments }

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ cells: Span...) { rows.append(cells) }
  mutating func add(_ cells: [Span]) { rows.append(cells) }

  /// The lines. Where they would be wider than `width`, the last cell goes on below: nothing of it is lost.
  func lines(indent: Int = 0, width: Int = .max, style: Style = .plain) -> [String] {
    let widths = alignments.indices.map { column in
      rows.map { $0.count == alignments.count || column < $0.count - 1 ? $0[column].width : 0 }.max() ?? 0
    }
    return rows.flatMap { row -> [String] in
      let start = widths.prefix(max(row.count - 1, 0)).reduce(indent) { $0 + $1 + 2 }
      guard let last = row.last, !last.text.isEmpty, last.width > width - start else {
        return [line(row, widths, indent, width, style)]
      }
      let others = Array(row.dropLast())
      let head = line(others, widths, indent, width, style)
      guard width - start >= Self.leastRoom || others.isEmpty else {
        let margin = Span(String(repeating: " ", count: indent + 4))
        return [head] + Flow([last]).lines(label: margin, width: width, style: style)
      }
      let gap = start - line(others, widths, indent, width, .plain).count
      let texts = Flow([last]).lines(width: width - start, style: style)
      return texts.enumerated().map { index, text in
        index == 0 ? head + String(repeating: " ", count: gap) + text : String(repeating: " ", count: start) + text
      }
    }
  }

  private func line(_ row: [Span], _ widths: [Int], _ indent: Int, _ width: Int, _ style: Style) -> String {
    var line = Line(indent: indent, width: width)
    for (column, cell) in row.enumerated() {
      let padding = Span(String(repeating: " ", count: max(widths[column] - cell.width, 0)))
      if column > 0 { line.add("  ") }
      if alignments[column] == .right { line.add(padding) }
      line.add(cell)
      if alignments[column] == .left, column < row.count - 1 { line.add(padding) }
    }
    return line.text(style)
  }
}

/// One line of spans that never grows beyond a width.
struct Line {
  private var spans: [Span] = []
  private var room: Int

  init(indent: Int = 0, width: Int) {
    room = width
    if indent > 0 { add(Span(String(repeating: " ", count: indent))) }
  }

  mutating func add(_ span: Span) {
    guard room > 0 else { return }
    let fitting = span.cut(room)
    room -= fitting.width
    spans.append(fitting)
  }

  mutating func add(_ text: String, _ colour: Style.Colour? = nil) { add(Span(text, colour)) }

  /// The text, without blanks at its end.
  func text(_ style: Style) -> String {
    var kept = spans
    while let last = kept.last {
      let trimmed = String(last.text.reversed().drop { $0 == " " }.reversed())
      kept.removeLast()
      if trimmed.isEmpty { continue }
      kept.append(Span(trimmed, last.colour))
      break
    }
    return kept.map { style.paint($0.text, $0.colour) }.joined()
  }
}
