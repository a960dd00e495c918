import Platform

/// Colours, or none.
struct Style: Sendable {
  let isColoured: Bool

  static let plain = Style(isColoured: false)

  /// Colours on a terminal, unless the user asked for none (no-color.org).
  static func standardOutput(_ variables: [String: String]) -> Style {
    let isRefused = !(variables["NO_COLOR"] ?? "").isEmpty || ["", "dumb"].contains(variables["TERM"] ?? "")
    return Style(isColoured: StandardStreams.isTerminal && !isRefused)
  }

  enum Colour: Int {
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case cyan = 36
    case grey = 90
    case bold = 1
  }

  func paint(_ text: String, _ colour: Colour?) -> String {
    guard isColoured, let colour, !text.isEmpty else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }

  /// Columns of the terminal within 40…400; nil where there is none.
  static var terminalColumns: Int? { StandardStreams.terminalColumns.map { min(max($0, 40), 400) } }
}

/// A piece of text with one colour. Its width is counted without the colour.
struct Span: Sendable {
  let text: String
  let colour: Style.Colour?

  init(_ text: String, _ colour: Style.Colour? = nil) {
    self.text = Span.printable(text)
    self.colour = colour
  }

  var width: Int { text.count }

  /// What comes from files and brokers must not steer the terminal.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "·" : $0 }))
  }

  /// At most `width` characters, with an ellipsis where it was cut.
  func cut(_ width: Int) -> Span {
    guard self.width > width else { return self }
    return Span(width > 0 ? String(text.prefix(width - 1)) + "…" : "", colour)
  }
}
