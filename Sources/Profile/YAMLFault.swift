import CYAML

/// Says in a reader's words why libyaml or the decoder gave up on a file.
struct YAMLFault {
  private struct Explanation {
    let what: String
    var why = ""
    let remedy: String
  }

  private let file: String
  private let problem: String
  private let context: String
  private let mark: Place
  private let contextMark: Place
  private let character: Unicode.Scalar?

  /// Takes the error out of a parser that has just failed.
  init(_ parser: yaml_parser_t, source: [Unicode.Scalar], file: String) {
    self.file = file
    problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
    context = parser.context.map { String(cString: $0) } ?? ""
    contextMark = Place(file: file, line: parser.context_mark.line + 1, column: parser.context_mark.column + 1)
    if parser.error == YAML_READER_ERROR {
      // The reader knows a byte offset only.
      let (place, found) = Self.locate(byte: parser.problem_offset, in: source, file: file)
      mark = place
      character = found
    } else {
      mark = Place(file: file, line: parser.problem_mark.line + 1, column: parser.problem_mark.column + 1)
      let index = parser.problem_mark.index
      character = index < source.count ? source[index] : nil
    }
  }

  /// A line that is no pair and a quote that stays open are shown where they begin, not where that was found out.
  func report(to problems: ProblemList) {
    let told = explanation
    let beginsBefore = ["could not find expected ':'", "found unexpected end of stream", "found unexpected document indicator"]
    problems.add(beginsBefore.contains(problem) ? contextMark : mark, told.what, why: told.why, remedy: told.remedy)
  }

  private var explanation: Explanation {
    if character == "\t" { return Self.tab }
    switch problem {
    case "found a tab character where an indentation space is expected", "found a tab character that violates indentation":
      return Self.tab
    case "control characters are not allowed":
      return Explanation(
        what: "a control character stands here", remedy: "remove it; in double quotes it can be written as \\n, \\t or \\x07")
    case "found character that cannot start any token":
      if character == ">" || character == "|" {
        return Explanation(
          what: "text stands behind a closing brace or bracket", why: "inside braces a value ends at '{', '}', '[', ']' and ','",
          remedy: "put the whole value in quotes")
      }
      let found = character.map { "'\($0)'" } ?? "this character"
      return Explanation(
        what: "a value cannot begin with \(found)", why: "YAML keeps it for itself", remedy: "put the value in quotes")
    case "mapping values are not allowed in this context":
      return Explanation(
        what: "a colon stands where no key can be",
        why: "a value holds ': ', or this line is indented differently from those beside it",
        remedy: "put the value in quotes, or align the line")
    case "could not find expected ':'":
      return Explanation(
        what: "a line without a colon", why: "it is neither a key nor part of the value above",
        remedy: "write 'key: value', or indent it below its key")
    case "block sequence entries are not allowed in this context":
      return Explanation(
        what: "a list item stands where none can be",
        remedy: "begin the list on a line of its own below the key, each item with '- '")
    case "found unexpected end of stream", "found unexpected document indicator":
      return Explanation(what: "a quote is not closed", why: "the text runs on to the end of the document", remedy: "close it")
    default: return indicator ?? structure
    }
  }

  /// Characters with a meaning of their own at the beginning of a value.
  private var indicator: Explanation? {
    switch (context, problem) {
    case ("while scanning a block scalar", _):
      return Explanation(
        what: "a value begins with '>' or '|'", why: "YAML takes that for the head of a text block",
        remedy: "put it in quotes: \"> 75\"")
    case ("while scanning an alias", _):
      return Explanation(
        what: "a value begins with '*'", why: "YAML takes that for an alias", remedy: "put patterns in quotes: \"*.example\"")
    case ("while scanning an anchor", _):
      return Explanation(what: "a value begins with '&'", why: "YAML takes that for an anchor", remedy: "put it in quotes")
    case ("while scanning a tag", _), ("while parsing a tag", _), ("while parsing a node", "found undefined tag handle"):
      return Explanation(what: "a value begins with '!'", why: "YAML takes that for a tag", remedy: "put it in quotes: \"!= 0\"")
    case (_, "found unknown escape character"), ("while parsing a quoted scalar", _),
      ("while scanning a double-quoted scalar", _):
      return Explanation(
        what: "an unknown escape in double quotes", why: "there a backslash begins \\n, \\t, \\\", \\\\ and the like",
        remedy: "double the backslash, or use single quotes")
    case ("while scanning a directive", _), (_, "found unknown directive name"):
      return Explanation(
        what: "a line begins with '%'", why: "YAML takes that for a directive", remedy: "remove it, or put the value in quotes")
    default: return nil
    }
  }

  private var structure: Explanation {
    let start = "\(contextMark.line):\(contextMark.column)"
    switch (context, problem) {
    case ("while parsing a block mapping", _):
      return Explanation(
        what: "no key where one is expected",
        why: "the map began at \(start), and this line is indented differently or does not begin with a key",
        remedy: "align its keys, and put values with quotes inside them wholly in quotes")
    case ("while parsing a block collection", _):
      return Explanation(
        what: "no list item where one is expected", why: "the list began at \(start)",
        remedy: "begin each item with '- ' in the same column")
    case ("while parsing a flow mapping", _):
      return Explanation(
        what: "a comma or '}' is missing", why: "the map in braces began at \(start)",
        remedy: "separate its pairs by commas, close it, and put values with '{', '[' or ',' in quotes")
    case ("while parsing a flow sequence", _):
      return Explanation(
        what: "a comma or ']' is missing", why: "the list in brackets began at \(start)",
        remedy: "separate its items by commas, close it, and put values with '{', '[' or ',' in quotes")
    case ("while parsing a flow node", _), (_, "did not find expected node content"):
      return Explanation(
        what: "a value is missing inside brackets or braces",
        remedy: "write one between the commas, and put values with '{', '[' or ',' in quotes")
    case (_, "did not find expected <document start>"):
      return Explanation(
        what: "text stands behind the end of the document",
        why: "the lines above are complete, and this one does not continue them",
        remedy: "align the line with the keys above")
    default:
      return Explanation(what: "this is no YAML: \(problem)", why: context, remedy: "compare with the shipped sample profile")
    }
  }

  private static let tab = Explanation(
    what: "a tab stands where blanks belong", why: "YAML indents and separates with blanks only",
    remedy: "replace it by blanks, two a level")

  private static func locate(byte offset: Int, in source: [Unicode.Scalar], file: String) -> (Place, Unicode.Scalar?) {
    var (at, line, column) = (0, 1, 1)
    for scalar in source {
      if at >= offset { return (Place(file: file, line: line, column: column), scalar) }
      at += UTF8.width(scalar)
      if scalar == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
    }
    return (Place(file: file, line: line, column: column), nil)
  }

  /// The text of a file without its byte order mark; nil (and a problem) when it is too large or not UTF-8.
  static func decode(file: String, bytes: [UInt8], problems: ProblemList) -> String? {
    guard bytes.count <= ProfileLimits.fileBytes else {
      problems.add(
        .whole(file), "the file is larger than 1 MiB", why: "a profile is a few KiB", remedy: "check that it is the right file")
      return nil
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      problems.add(.whole(file), "the file is UTF-16", why: "a profile is UTF-8", remedy: "save it as UTF-8")
      return nil
    }
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    if let text = String(validating: body, as: UTF8.self) { return text }
    var (line, column) = (1, 1)
    var decoder = UTF8()
    var iterator = body.makeIterator()
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      if scalar == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
    }
    problems.add(
      Place(file: file, line: line, column: column), "this character is not UTF-8",
      why: "the file seems to be in an older encoding",
      remedy: "save it as UTF-8")
    return nil
  }
}
