/// Rows of cells in aligned columns, two blanks apart.
struct Table {
  enum Alignment {
    case left
    case right
  }

  private let alignments: [Alignment]
  private var rows: [[Span]] = []

  init(_ alignments: Alignment...) { self.alignments = alignments }

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ cells: Span...) { rows.append(cells) }

  /// The lines; where they would be wider than `width`, the last column is cut.
  func lines(indent: Int = 0, width: Int = .max, style: Style = .plain) -> [String] {
    let widths = alignments.indices.map { column in rows.map { $0.indices.contains(column) ? $0[column].width : 0 }.max() ?? 0 }
    return rows.map { row in
      var line = Line(indent: indent, width: width)
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: max(widths[column] - cell.width, 0))
        if column > 0 { line.add("  ") }
        if alignments[column] == .right { line.add(Span(padding)) }
        line.add(cell)
        if alignments[column] == .left { line.add(Span(padding)) }
      }
      return line.text(style)
    }
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
