/// The `when` of a rule taken apart: `METRIC{KEY="PATTERN",…} > VALUE`. Offsets count characters (Unicode scalars) from its beginning.
struct AlertExpression {
  struct Part: Hashable {
    let text: String
    let offset: Int
  }

  struct LabelPart {
    let key: Part
    let pattern: Part
  }

  /// Where the expression stops being one.
  struct Fault: Error, Hashable {
    let offset: Int
    let what: String
    var why = ""
    let remedy: String
  }

  private(set) var metric = Part(text: "", offset: 0)
  private(set) var labels: [LabelPart] = []
  private(set) var comparison = Part(text: "", offset: 0)
  private(set) var threshold = Part(text: "", offset: 0)

  private let source: [Unicode.Scalar]
  private var at = 0

  /// Takes a whole `when` apart.
  init(_ text: String) throws(Fault) {
    source = Array(text.unicodeScalars)
    skipBlanks()
    metric = word { Self.isName($0) || $0 == "." }
    guard !metric.text.isEmpty else { throw Fault(offset: at, what: "no metric's name", remedy: "write METRIC > VALUE") }
    skipBlanks()
    if skip("{") { try readLabels() }
    try readCondition()
  }

  /// Takes a `clear` apart: a comparison and a value.
  init(condition text: String) throws(Fault) {
    source = Array(text.unicodeScalars)
    try readCondition()
  }

  private mutating func readCondition() throws(Fault) {
    skipBlanks()
    let start = at
    comparison = word { "<>=!~".unicodeScalars.contains($0) }
    skipBlanks()
    guard ["<", "<=", ">", ">=", "==", "!="].contains(comparison.text) else {
      let meant = ["=": "==", "=>": ">=", "=<": "<=", "<>": "!=", "=~": "==", "===": "=="][comparison.text]
      if comparison.text.isEmpty {
        throw Fault(
          offset: start, what: start < source.count ? "no comparison before '\(text(from: start))'" : "no comparison",
          remedy: "write one of >, >=, <, <=, ==, != and a value")
      }
      throw Fault(
        offset: start, what: "'\(comparison.text)' is no comparison",
        remedy: meant.map { "did you mean '\($0)'?" } ?? "use >, >=, <, <=, == or !=")
    }
    var end = source.count
    while end > at, source[end - 1].properties.isWhitespace { end -= 1 }
    threshold = Part(text: Self.string(source[at..<end]), offset: at)
    guard !threshold.text.isEmpty else {
      throw Fault(
        offset: at, what: "no value behind '\(comparison.text)'", remedy: "write one, for example '\(comparison.text) 75'")
    }
    let words = threshold.text.split(separator: " ")
    if words.contains("for") {
      throw Fault(offset: at, what: "'\(threshold.text)' is no value", remedy: "write 'for:' as a key of its own beside 'when:'")
    }
    if words.contains(where: { ["and", "or", "&&", "||", "AND", "OR"].contains($0) }) {
      throw Fault(offset: at, what: "a rule has one comparison", remedy: "write a rule for each")
    }
  }

  private mutating func readLabels() throws(Fault) {
    while true {
      skipBlanks()
      if skip("}") { return }
      let key = word(Self.isName)
      guard !key.text.isEmpty else {
        throw Fault(
          offset: at, what: at < source.count ? "no label's key" : "'{' is not closed", remedy: "write {KEY=\"PATTERN\"}")
      }
      skipBlanks()
      let sign = word { "=!~:<>".unicodeScalars.contains($0) }
      guard sign.text == "=" else {
        throw Fault(
          offset: sign.offset, what: "no '=' behind the label '\(key.text)'",
          why: sign.text.isEmpty ? "" : "'\(sign.text)' is not known here",
          remedy: "write \(key.text)=\"PATTERN\"; '*' and '?' stand for any text and any character")
      }
      skipBlanks()
      labels.append(LabelPart(key: key, pattern: try pattern(of: key.text)))
      skipBlanks()
      if skip(",") { continue }
      guard skip("}") else {
        throw Fault(offset: at, what: "no ',' or '}' behind the label '\(key.text)'", remedy: "close the labels with '}'")
      }
      return
    }
  }

  /// A text in quotes of either kind; `\"`, `\\` and `\n` as in a series' key.
  private mutating func pattern(of key: String) throws(Fault) -> Part {
    let start = at
    guard at < source.count, source[at] == "\"" || source[at] == "'" else {
      let bare = word { Self.isName($0) || "-.*?/:".unicodeScalars.contains($0) }
      throw Fault(offset: start, what: "the label '\(key)' has no quotes", remedy: "write \(key)=\"\(bare.text)\"")
    }
    let quote = source[at]
    at += 1
    var value = String.UnicodeScalarView()
    while at < source.count, source[at] != quote {
      if source[at] == "\\", at + 1 < source.count {
        at += 1
        value.append(source[at] == "n" ? "\n" : source[at])
      } else {
        value.append(source[at])
      }
      at += 1
    }
    guard at < source.count else {
      throw Fault(offset: start, what: "a quote is not closed", remedy: "close it behind the pattern")
    }
    at += 1
    return Part(text: String(value), offset: start)
  }

  private static func isName(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
  }

  private mutating func skipBlanks() {
    while at < source.count, source[at].properties.isWhitespace { at += 1 }
  }

  private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard at < source.count, source[at] == scalar else { return false }
    at += 1
    return true
  }

  private mutating func word(_ belongs: (Unicode.Scalar) -> Bool) -> Part {
    let start = at
    while at < source.count, belongs(source[at]) { at += 1 }
    return Part(text: Self.string(source[start..<at]), offset: start)
  }

  private func text(from start: Int) -> String { Self.string(source[start...].prefix(20)) }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}
