import Foundation
import Platform
import Telemetry
import Testing

/// Files of every size are read whole, again and again, in sysfs and outside of it.
@Suite struct HostFileTests {
  private let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString)")

  private func text(_ file: HostFile) throws -> String {
    try file.read { (text) throws(SensorError) in text.rest() }
  }

  @Test(arguments: ["/sys/class", "/proc"])
  func growsWithTheFile(folder: String) throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
    let host = Host(root: root.path)
    let file = host.file(folder + "/file", limit: 20_000)
    // Around the sizes at which its room grows, up and down.
    for size in [1, 63, 64, 65, 255, 256, 300, 0, 1_024, 1_025, 4_095, 4_096, 4_097, 16_384, 19_999, 64, 5, 4_096] {
      let content = String((0..<size).map { Character(UnicodeScalar(UInt8(0x21 + $0 % 90))) })
      let url = root.appendingPathComponent(folder + "/file")
      // In place: the descriptor stays open.
      if let handle = FileHandle(forWritingAtPath: url.path) {
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(content.utf8))
        try handle.close()
      } else {
        try Data(content.utf8).write(to: url)
      }
      #expect(try text(file) == content, "\(size) bytes")
      #expect(try text(file) == content, "\(size) bytes, once more")
    }
    let small = host.file(folder + "/file", limit: 1_000)
    #expect(throws: SensorError.self) { try text(small) }
  }

  @Test func aFileThatIsNotThereIsAbsentUntilItIs() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    let file = Host(root: root.path).file("/number")
    #expect(throws: SensorError.absent("/number")) { try file.integer() }
    try Data("42\n".utf8).write(to: root.appendingPathComponent("number"))
    #expect(try file.integer() == 42)
  }
}
