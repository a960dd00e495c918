import Foundation
import Testing

/// The documents name only what exists.
@Suite struct DocumentTests {
  private static let documents: [SourceTree.File] =
    ["README.md", "CONTRIBUTING.md"].compactMap { path in
      SourceTree.text(path).map { SourceTree.File(path: path, text: $0) }
    } + SourceTree.files(under: "docs", endings: ["md"])

  @Test(arguments: documents) func linksLeadSomewhere(file: SourceTree.File) {
    let folder = (file.path as NSString).deletingLastPathComponent
    for match in file.text.matches(of: /\]\(([^)\s]+)\)/) {
      let target = String(match.1)
      if target.contains("://") || target.hasPrefix("mailto:") || target.hasPrefix("#") { continue }
      let path = target.split(separator: "#").first.map(String.init) ?? ""
      let whole = URL(fileURLWithPath: folder.isEmpty ? path : folder + "/" + path, relativeTo: SourceTree.root)
      #expect(
        FileManager.default.fileExists(atPath: whole.standardizedFileURL.path), "\(file.path) links to \(target)")
    }
  }

  @Test(arguments: documents) func makeTargetsExist(file: SourceTree.File) throws {
    let makefile = try #require(SourceTree.text("Makefile"))
    let targets = Set(makefile.matches(of: /(?m)^([a-z]+):/).map { String($0.1) })
    for line in DocumentTests.commands(in: file) {
      guard let match = line.firstMatch(of: /^(?:\$ )?make ([a-z]+)/) else { continue }
      #expect(targets.contains(String(match.1)), "\(file.path) says `\(line)`")
    }
  }

  @Test(arguments: documents) func subcommandsExist(file: SourceTree.File) {
    // One file per subcommand, each with its name.
    let sources = SourceTree.sources.filter { $0.module == "godwit" }.map(\.text).joined()
    let named = Set(sources.matches(of: /commandName: "([a-z-]+)"/).map { String($0.1) })
    let types = Set(sources.matches(of: /struct (\w+): \w*ParsableCommand/).map { $0.1.lowercased() })
    let commands = named.union(types).union(types.map { $0.replacing(/command$/, with: "") })
    for line in DocumentTests.commands(in: file) {
      guard let match = line.firstMatch(of: /^(?:\$ |sudo )*godwit ([a-z][a-z-]*)\b/) else { continue }
      #expect(commands.contains(String(match.1)), "\(file.path) says `\(line)`")
    }
  }

  /// Lines of code blocks and pieces of inline code.
  private static func commands(in file: SourceTree.File) -> [String] {
    var found: [String] = []
    var isBlock = false
    for line in file.lines {
      if line.hasPrefix("```") {
        isBlock.toggle()
      } else if isBlock {
        found.append(line.trimmingCharacters(in: .whitespaces))
      } else {
        found += line.matches(of: /`([^`]+)`/).map { String($0.1) }
      }
    }
    return found
  }
}
