import ArgumentParser
import Buffer
import Glibc
import Platform
import Profile
import Telemetry

/// `godwit sql`: questions to the live buffer.
struct SQLCommand: ParsableCommand {
  /// Rows of a table on a terminal.
  static let tableRows = 1_000
  /// Columns of one of its cells.
  static let cellColumns = 60

  static let configuration = CommandConfiguration(
    commandName: "sql", abstract: "Runs a SELECT over the stored values, beside a running agent or on a dead device's card.",
    discussion: """
      Tables: samples(time, metric, labels, value, unit); minutes and hours, the rollups, where value is the mean, and with least, most, \
      last, count; series(id, key, metric, labels, unit, kind); events(id, time, kind, severity, message, detail). Times are Unix \
      seconds, as unixepoch() gives them; labels are a JSON object. Conditions on time and metric make a query quick. Nothing can be \
      changed.
      """)

  @Argument(help: "One SELECT.")
  var query: String

  @OptionGroup var place: BufferOptions

  @Flag(exclusivity: .exclusive, help: "Which form; a table on a terminal, else CSV, unless given.")
  var form: Form?

  enum Form: String, EnumerableFlag {
    case table
    case csv
    case json
  }

  func run() throws {
    let path = try place.path()
    let source = try Failure.rethrow { try BufferQuery(path: path) }
    let form = form ?? (StandardStreams.isTerminal ? .table : .csv)
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    var code: Int32 = 0
    var writer = RowWriter(form, style: style) { part in
      if code == 0 { code = StandardStreams.write(part) }
    }
    do throws(BufferError) {
      try source.run(query, columns: { writer.begin($0) }, row: { writer.add($0) && code == 0 })
    } catch {
      // The query's own fault, not the file's.
      guard error.kind == .other else { throw Failure("\(error)") }
      throw Failure("\(error.message)", status: 2)
    }
    writer.end()
    guard code == 0 else { throw Failure("cannot write standard output: \(String(cString: strerror(code)))") }
    if source.damagedBlocks > 0 {
      Output.error("godwit: left out: \(counted(source.damagedBlocks, "damaged block")); godwit buffer verify says which")
    }
  }
}

/// Rows of an answer as they come: CSV and JSON at once, a table at its end.
struct RowWriter {
  private let form: SQLCommand.Form
  private let style: Style
  private let put: ([UInt8]) -> Void
  private var names: [String] = []
  private var kept: [[SQLValue]] = []
  private var count = 0
  private var isCut = false

  init(_ form: SQLCommand.Form, style: Style, put: @escaping ([UInt8]) -> Void) {
    self.form = form
    self.style = style
    self.put = put
  }

  mutating func begin(_ names: [String]) {
    self.names = names
    if form == .csv { put(CSV.line(names)) }
  }

  /// Takes a row; false when no more are wanted.
  mutating func add(_ row: [SQLValue]) -> Bool {
    switch form {
    case .csv: put(Array(row.map { CSV.field($0.text) }.joined(separator: ",").utf8) + CSV.end)
    case .json: put(Array((count == 0 ? "[" : ",\n").utf8) + object(row))
    case .table:
      guard count < SQLCommand.tableRows else {
        isCut = true
        return false
      }
      kept.append(row)
    }
    count += 1
    return true
  }

  func end() {
    if form == .json { put(Array((count == 0 ? "[]\n" : "]\n").utf8)) }
    guard form == .table else { return }
    var table = Table(names.indices.map { place in kept.contains { $0[place].isText } ? .left : .right })
    table.add(names.map { Span($0, .bold) })
    for row in kept { table.add(row.map { Span($0.text).cut(SQLCommand.cellColumns) }) }
    put(Array(table.lines(style: style).map { $0 + "\n" }.joined().utf8))
    if isCut { put(Array("… more than \(count) rows: add a LIMIT, or --csv for all\n".utf8)) }
  }

  private func object(_ row: [SQLValue]) -> [UInt8] {
    var json = JSONWriter(capacity: 256)
    json.beginObject()
    for (name, value) in zip(names, row) {
      switch value {
      case .null: json.member(name, nil as String?)
      case .integer(let number): json.member(name, number)
      case .real(let number): json.member(name, number)
      case .text, .blob: json.member(name, value.text)
      }
    }
    json.endObject()
    return json.bytes
  }
}

extension SQLValue {
  var isText: Bool {
    switch self {
    case .text, .blob: true
    default: false
    }
  }

  /// Empty for nothing; bytes as hexadecimal digits.
  var text: String {
    switch self {
    case .null: return ""
    case .integer(let number): return String(number)
    case .real(let number):
      guard number.isFinite else { return number < 0 ? "-Inf" : "Inf" }
      return String(decoding: CSV.number(number), as: UTF8.self)
    case .text(let text): return text
    case .blob(let bytes): return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
