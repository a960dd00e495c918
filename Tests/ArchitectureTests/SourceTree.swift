import Foundation
import Testing

/// The checkout as text.
enum SourceTree {
  /// A file of it.
  struct File: CustomTestStringConvertible {
    /// From the root: `Sources/Platform/Host.swift`.
    var path: String
    var text: String

    var lines: [String] { text.components(separatedBy: "\n") }
    var testDescription: String { path }
    /// The folder under `Sources` or `Tests`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Lines with their numbers, comments left out; a `//` inside a string literal stays.
    var code: [(number: Int, text: String)] {
      lines.enumerated().compactMap { index, line in
        let trimmed = line.trimmingCharacters(in: .whitespaces)
        if trimmed.hasPrefix("//") { return nil }
        let end = line.range(of: " // ")?.lowerBound ?? line.endIndex
        return (index + 1, String(line[..<end]))
      }
    }
  }

  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.standardizedFileURL
  }()

  /// The Swift files under `Sources`.
  static let sources = files(under: "Sources", endings: ["swift"])
  /// Those under `Tests`, without fixtures and what a generator wrote.
  static let tests = files(under: "Tests", endings: ["swift"]).filter {
    !$0.path.contains("/Cases/") && !$0.path.hasSuffix(".pb.swift")
  }

  /// The text of a file by its path from the root; nil when it is not there.
  static func text(_ path: String) -> String? {
    try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Whether the checkout has a file or folder.
  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  /// The files of some kinds in a folder and all its folders, by path.
  static func files(under folder: String, endings: [String]) -> [File] {
    let base = root.appendingPathComponent(folder).path
    guard let paths = FileManager.default.enumerator(atPath: base) else { return [] }
    return paths.compactMap { $0 as? String }.sorted()
      .filter { endings.contains(($0 as NSString).pathExtension) }
      .compactMap { path in
        text(folder + "/" + path).map { File(path: folder + "/" + path, text: $0) }
      }
  }
}
