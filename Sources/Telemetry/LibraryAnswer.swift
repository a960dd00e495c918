/// What a device library said in one sample, as it goes from the process that calls it to the agent, and into recordings: lines of text,
/// their fields separated by tabs.
///
/// ```
/// godwit-sensor-host <version> <library>
/// value   <metric>  <number>  <label key>=<label value> …
/// problem <what, for people>
/// absent  <what>          there is no device, driver or library
/// failed  <what>          nothing could be read; the process ends
/// end
/// ```
public struct LibraryAnswer: Hashable, Sendable {
  /// The version of these lines.
  public static let version = 1
  /// What is sent for one sample.
  public static let request = Array("sample \(version)\n".utf8)
  /// The last line.
  public static let last = Array("end\n".utf8)

  /// How the sample went.
  public enum Outcome: Hashable, Sendable {
    case read
    case absent(String)
    case failed(String)
  }

  /// One value.
  public struct Entry: Hashable, Sendable {
    /// The metric's name.
    public var metric: String
    /// Its instance; the metric says which keys there are.
    public var labels: [Label]
    /// In the metric's unit.
    public var value: Double

    /// One value of one instance of a metric.
    public init(_ metric: String, _ labels: [Label], _ value: Double) {
      (self.metric, self.labels, self.value) = (metric, labels, value)
    }
  }

  /// How the sample went.
  public var outcome = Outcome.read
  /// The values, at most `Limits.seriesPerSensor`.
  public private(set) var entries: [Entry] = []
  /// What cost single values.
  public private(set) var problems: [String] = []

  /// Nothing read yet.
  public init() {}

  /// Adds a value; one that is no number is dropped, as is any past the bound.
  public mutating func add(_ entry: Entry) {
    guard entry.value.isFinite, entries.count < Limits.seriesPerSensor else { return }
    entries.append(entry)
  }

  /// Adds a problem; all past the 32nd are dropped.
  public mutating func note(_ problem: String) {
    if problems.count < 32 { problems.append(problem) }
  }

  /// The lines, with those control characters made blank that would end a field.
  public func encoded(library: String) -> [UInt8] {
    var text = "godwit-sensor-host\t\(Self.version)\t\(Self.field(library))\n"
    for entry in entries {
      text += "value\t\(Self.field(entry.metric))\t\(entry.value)"
      for label in entry.labels { text += "\t\(Self.field(label.key))=\(Self.field(label.value))" }
      text += "\n"
    }
    for problem in problems { text += "problem\t\(Self.field(problem))\n" }
    switch outcome {
    case .read: break
    case .absent(let what): text += "absent\t\(Self.field(what))\n"
    case .failed(let what): text += "failed\t\(Self.field(what))\n"
    }
    return Array(text.utf8) + Self.last
  }

  /// Reads the lines.
  ///
  /// - Throws: `malformed`, with `library` as its path, for anything but what `encoded` writes.
  public static func decoded(_ bytes: [UInt8], library: String) throws(SensorError) -> LibraryAnswer {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed(path: library, what: "not UTF-8") }
    var answer = LibraryAnswer()
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard isOpen else {
        guard fields.count == 3, fields[0] == "godwit-sensor-host", fields[1] == "\(version)", fields[2] == library else {
          throw .malformed(path: library, what: "not an answer of its sensor host in version \(version)")
        }
        isOpen = true
        continue
      }
      switch (fields[0], fields.count) {
      case ("value", 3...): answer.add(try entry(fields, library))
      case ("problem", 2): answer.note(String(fields[1]))
      case ("absent", 2): answer.outcome = .absent(String(fields[1]))
      case ("failed", 2): answer.outcome = .failed(String(fields[1]))
      case ("end", 1): return answer
      default: throw .malformed(path: library, what: "a line that no sensor host writes")
      }
    }
    throw .malformed(path: library, what: "the answer has no end")
  }

  private static func entry(_ fields: [Substring], _ library: String) throws(SensorError) -> Entry {
    guard let value = Double(fields[2]) else { throw .malformed(path: library, what: "a value that is no number") }
    var labels: [Label] = []
    for field in fields[3...] {
      guard let sign = field.firstIndex(of: "=") else { throw .malformed(path: library, what: "a label without a value") }
      labels.append(Label(String(field[..<sign]), String(field[field.index(after: sign)...])))
    }
    return Entry(String(fields[1]), labels, value)
  }

  private static func field(_ text: String) -> String {
    let blank: Unicode.Scalar = " "
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? blank : $0 }))
  }
}
