import Foundation

/// A folder of the test's own, removed with all it holds when the last reference goes.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let name = "godwit-" + UUID().uuidString.prefix(8).lowercased()
    path = NSTemporaryDirectory() + (NSTemporaryDirectory().hasSuffix("/") ? "" : "/") + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in it.
  func path(of name: String) -> String { path + "/" + name }

  /// Writes a file and answers its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = path(of: name)
    let parent = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }

  /// A file's text; empty when it is not there.
  func read(_ name: String) -> String {
    FileManager.default.contents(atPath: path(of: name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
