import Foundation

/// Python with psutil in a place of its own under `.build`: an independent reader of processes and sockets.
enum PSUtil {
  static let version = "7.0.0"

  /// The path of a script beside the tests.
  static func script(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Python/\(name).py").path
  }

  /// The interpreter; nil, with a line that says why, where the library cannot be had.
  static let interpreter: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").standardizedFileURL
    let home = root.appendingPathComponent(".build/psutil-" + version).path
    let python = home + "/bin/python3"
    if FileManager.default.fileExists(atPath: python) { return python }
    // Made aside and then moved: another run may do the same, and half of one is no place to be used.
    let fresh = home + "-\(ProcessInfo.processInfo.processIdentifier)"
    defer { try? FileManager.default.removeItem(atPath: fresh) }
    let steps = [
      ["/usr/bin/env", "python3", "-m", "venv", fresh],
      [
        fresh + "/bin/python3", "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check", "--retries", "1",
        "psutil==" + version,
      ],
      [fresh + "/bin/python3", "-c", "import psutil"],
    ]
    for step in steps {
      guard runs(step) else {
        print("godwit: no psutil here, comparisons with it are skipped: \(step.joined(separator: " ")) failed")
        return nil
      }
    }
    try? FileManager.default.moveItem(atPath: fresh, toPath: home)
    return FileManager.default.fileExists(atPath: python) ? python : nil
  }()

  /// Runs a program with this one's environment, which may say how PyPI is reached; false unless it ends well within two minutes.
  private static func runs(_ words: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = Array(words.dropFirst())
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    guard (try? process.run()) != nil else { return false }
    guard ended.wait(timeout: .now() + 120) == .success else {
      process.terminate()
      return false
    }
    return process.terminationStatus == 0
  }
}
