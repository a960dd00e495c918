import Foundation
import Testing

/// How the files look, beyond what `swift format lint --strict` sees.
@Suite struct TidyTests {
  private static let maximumLines = 320
  /// The formatter breaks code at 130; this bounds the comments and texts that it leaves alone.
  private static let maximumColumns = 150
  private static let forbiddenWords = ["Manager", "Helper", "Utils", "Utilities", "Common"]
  private static let written =
    SourceTree.sources + SourceTree.tests
    + SourceTree.files(under: "Sources", endings: ["c", "h", "modulemap"])
    + SourceTree.files(under: "scripts", endings: ["sh", "py"])

  @Test(arguments: written) func isTidy(file: SourceTree.File) {
    #expect(file.text.hasSuffix("\n"), "\(file.path) does not end with a newline")
    #expect(!file.text.hasSuffix("\n\n"), "\(file.path) ends with an empty line")
    #expect(file.lines.count - 1 <= TidyTests.maximumLines, "\(file.path) has \(file.lines.count - 1) lines: split it")
    for (index, line) in file.lines.enumerated() {
      let place = "\(file.path):\(index + 1)"
      // A literal over several lines keeps captured text as it came.
      if line.contains("\t") && file.path.hasSuffix(".swift") && !file.path.hasPrefix("Tests/") {
        Issue.record("\(place): a tab")
      }
      if line.last == " " || line.last == "\r" { Issue.record("\(place): blanks at the end of the line") }
      if line.count > TidyTests.maximumColumns && !file.path.hasPrefix("Tests/") && !file.path.hasPrefix("scripts/") {
        Issue.record("\(place): \(line.count) columns")
      }
    }
  }

  @Test(arguments: SourceTree.sources + SourceTree.tests) func namesSayWhatThingsAre(file: SourceTree.File) {
    let name = (file.path as NSString).lastPathComponent
    let types = file.code.compactMap { line in
      line.text.firstMatch(of: /\b(?:struct|class|enum|protocol|actor|typealias) (\w+)/).map { String($0.1) }
    }
    for word in TidyTests.forbiddenWords {
      #expect(!name.contains(word), "\(file.path): \(word) says nothing")
      for type in types { #expect(!type.contains(word), "\(file.path): \(type): \(word) says nothing") }
    }
  }
}
