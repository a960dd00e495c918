import Foundation
import Testing

/// What the sources may not say.
@Suite struct DialectTests {
  /// Files outside Platform and the codec that may use unsafe pointers, and why.
  static let unsafeFiles: [String: String] = [
    "Sources/Buffer/SQLite/Database.swift": "sqlite3 takes and hands out pointers",
    "Sources/Buffer/SQLite/Blob.swift": "sqlite3 reads into a pointer",
    "Sources/Buffer/Query/BufferQuery.swift": "sqlite3 points into the text of a query",
    "Sources/Buffer/Query/PointModule.swift": "callbacks of sqlite3's virtual tables",
    "Sources/Buffer/Quarantine.swift": "readdir(3) hands out a tuple of bytes",
    "Sources/Buffer/SQLite/FileHeader.swift": "an integer as the bytes of the file",
    "Sources/Buffer/TickCursor.swift": "hands a row to the codec without a copy",
    "Sources/Profile/ProfileEnvironment.swift": "environ belongs to the C library",
    "Sources/Profile/ProfileFiles.swift": "read(2) and readdir(3)",
    "Sources/Profile/YAMLReader.swift": "libyaml hands out pointers",
    "Sources/Uplink/Session/MQTTClient.swift": "libmosquitto takes and hands out pointers",
    "Sources/Uplink/Session/MQTTEvents.swift": "callbacks of libmosquitto",
    "Sources/Uplink/Session/MQTTSecurity.swift": "callbacks of OpenSSL",
  ]

  /// Types that vouch for their own thread safety, by file, and why.
  static let uncheckedFiles: [String: String] = [:]

  private static let forbidden: [(pattern: String, why: String)] = [
    ("import Foundation$", "full Foundation brings 45 MB of ICU data"),
    ("\\btry!", "handle the error"),
    ("\\bas!", "use as?"),
    ("\\bfatalError\\(", "input must not end the agent"),
    ("\\bTODO\\b|\\bFIXME\\b", "do it, or open an issue"),
    ("\\bTask(\\.detached)? *(\\(.*\\) *)?\\{", "a bare task has no owner"),
  ]

  @Test(arguments: SourceTree.sources) func saysNothingForbidden(file: SourceTree.File) {
    // A note to oneself is a comment, so this looks at whole lines.
    for (index, line) in file.lines.enumerated() {
      for rule in DialectTests.forbidden where DialectTests.matches(line, rule.pattern) {
        let isNote = rule.pattern.contains("TODO")
        if !isNote && line.trimmingCharacters(in: .whitespaces).hasPrefix("//") { continue }
        Issue.record("\(file.path):\(index + 1): \(line.trimmingCharacters(in: .whitespaces)): \(rule.why)")
      }
    }
  }

  @Test(arguments: SourceTree.sources) func unsafePointersStayAtTheEdges(file: SourceTree.File) {
    if file.module == "Platform" || file.path.hasPrefix("Sources/Buffer/Codec/") { return }
    guard DialectTests.unsafeFiles[file.path] == nil else { return }
    for line in file.code where DialectTests.matches(line.text, "Unsafe[A-Z]|unsafeBitCast|withUnsafe|unowned\\(unsafe\\)") {
      Issue.record("\(file.path):\(line.number): unsafe code outside Platform, the codec and the listed files")
    }
  }

  @Test(arguments: SourceTree.sources) func vouchedTypesAreListed(file: SourceTree.File) {
    guard DialectTests.uncheckedFiles[file.path] == nil else { return }
    for line in file.code where DialectTests.matches(line.text, "@unchecked Sendable|nonisolated\\(unsafe\\)") {
      Issue.record("\(file.path):\(line.number): list it in DialectTests with its reason")
    }
  }

  @Test func theListsHoldNothingThatNeedsNoException() {
    for path in DialectTests.unsafeFiles.keys {
      guard let text = SourceTree.text(path) else { continue }
      #expect(DialectTests.matches(text, "Unsafe|unsafeBitCast|withUnsafe"), "\(path) needs no exception")
    }
    for path in DialectTests.uncheckedFiles.keys {
      guard let text = SourceTree.text(path) else { continue }
      #expect(DialectTests.matches(text, "@unchecked|nonisolated\\(unsafe\\)"), "\(path) needs no exception")
    }
  }

  @Test func everyRuleCatchesItsOffence() {
    let offences = [
      "import Foundation", "let x = try! f()", "y as! Int", "fatalError(\"\")", "// TODO later", "Task { }",
      "Task(priority: .low) { }", "Task.detached {",
    ]
    for offence in offences {
      #expect(DialectTests.forbidden.contains { DialectTests.matches(offence, $0.pattern) }, "\(offence) is not caught")
    }
    let allowed = ["import FoundationEssentials", "try f()", "y as? Int", "group.addTask { }", "withTaskGroup {"]
    for line in allowed {
      #expect(!DialectTests.forbidden.contains { DialectTests.matches(line, $0.pattern) }, "\(line) is caught")
    }
  }

  private static func matches(_ text: String, _ pattern: String) -> Bool {
    text.range(of: pattern, options: .regularExpression) != nil
  }
}
