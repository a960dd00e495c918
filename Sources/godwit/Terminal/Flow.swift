/// Spans that run on as text: broken between words where a line is full, within a word only where it is longer than a line.
struct Flow {
  /// Each of pieces without blanks.
  private var words: [[Span]] = []
  /// Whether the next piece belongs to the last word.
  private var isOpen = false

  init(_ spans: [Span] = []) {
    for span in spans { add(span) }
  }

  mutating func add(_ span: Span) {
    for (index, part) in span.text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      if index > 0 { isOpen = false }
      guard !part.isEmpty else { continue }
      if !isOpen { words.append([]) }
      words[words.count - 1].append(Span(String(part), span.colour))
      isOpen = true
    }
  }

  /// Lines of at most `width` characters, the first of which goes behind `label`; the others begin below its text. Never empty.
  func lines(label: Span = Span(""), width: Int, style: Style) -> [String] {
    let margin = String(repeating: " ", count: label.width)
    let lines = broken(max(width - label.width, 1)).map { pieces in Self.text(pieces, style) }
    return lines.enumerated().map { index, text in
      let isTitled = index == 0 && label.text.contains { $0 != " " }
      guard isTitled else { return text.isEmpty ? "" : margin + text }
      let gap = label.text.reversed().prefix { $0 == " " }.count
      let title = style.paint(String(label.text.dropLast(gap)), label.colour)
      return text.isEmpty ? title : title + String(repeating: " ", count: gap) + text
    }
  }

  private func broken(_ width: Int) -> [[Span]] {
    var lines: [[Span]] = [[]]
    var room = width
    for unit in units {
      let length = unit.reduce(0) { $0 + $1.width }
      let isFirst = lines[lines.count - 1].isEmpty
      if length + (isFirst ? 0 : 1) <= room {
        if !isFirst { lines[lines.count - 1].append(Span(" ")) }
        lines[lines.count - 1] += unit
        room -= length + (isFirst ? 0 : 1)
        continue
      }
      if !isFirst { lines.append([]) }
      room = width
      for piece in unit {
        var rest = Substring(piece.text)
        while !rest.isEmpty {
          if room == 0 {
            lines.append([])
            room = width
          }
          let fitting = rest.prefix(room)
          lines[lines.count - 1].append(Span(String(fitting), piece.colour))
          room -= fitting.count
          rest = rest.dropFirst(fitting.count)
        }
      }
    }
    return lines
  }

  /// Words that stay together: no line begins with a dot that separates.
  private var units: [[Span]] {
    var units: [[Span]] = []
    for word in words {
      if word.count == 1, word[0].text == "·", !units.isEmpty {
        units[units.count - 1].append(Span(" ·", word[0].colour))
      } else {
        units.append(word)
      }
    }
    return units
  }

  /// Painted, with as few changes of colour as there are.
  private static func text(_ pieces: [Span], _ style: Style) -> String {
    var text = ""
    var (run, colour): (String, Style.Colour?) = ("", nil)
    for (index, piece) in pieces.enumerated() {
      // A blank has the colour of what is around it, if that is one.
      let isWithin = piece.text == " " && index + 1 < pieces.count && pieces[index + 1].colour == colour
      if !isWithin, piece.colour != colour {
        text += style.paint(run, colour)
        (run, colour) = ("", piece.colour)
      }
      run += piece.text
    }
    return text + style.paint(run, colour)
  }
}
