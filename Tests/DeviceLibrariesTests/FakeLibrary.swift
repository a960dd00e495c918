import Foundation
import Testing

/// A device library compiled from `Tests/Support/FakeLibraries` into a folder of the test's own, and told what to do while it is loaded.
final class FakeLibrary {
  let folder: URL
  let path: String

  /// Compiles it; `defines` leave parts of it out.
  init(_ source: String, _ defines: [String] = []) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-library-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appendingPathComponent("lib\(source).so").path
    let state = folder.appendingPathComponent("state").path
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments =
      ["cc", "-shared", "-fPIC", "-Wall", "-DSTATE=\"\(state)\""] + defines.map { "-D\($0)" }
      + ["-o", path, Self.sources.appendingPathComponent("\(source).c").path]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0, "the C compiler cannot make \(source)")
    try become("normal")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// What it does from the next call on.
  func become(_ state: String) throws {
    try state.write(to: folder.appendingPathComponent("state"), atomically: true, encoding: .utf8)
  }

  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Support/FakeLibraries")
}

/// Processes of this machine, as /proc tells.
enum Processes {
  /// The sensor hosts that have a library's path among their arguments, zombies left out.
  static func hosts(of library: String) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { pid in
      guard let arguments = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
      let words = String(decoding: arguments, as: UTF8.self).split(separator: "\0")
      return words.contains("sensor-host") && words.contains { $0 == library }
    }
  }

  /// Waits until something holds; the bound only ends a broken run.
  static func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<1000 {
      if holds() { return true }
      Thread.sleep(forTimeInterval: 0.02)
    }
    return false
  }
}
