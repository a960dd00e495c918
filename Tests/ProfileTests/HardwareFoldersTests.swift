import Foundation
import Testing

@testable import Profile

@Suite struct HardwareFoldersTests {
  private static func temporary() throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-hardware-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  private static func write(_ text: String, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func theEnvironmentComesFirstThenTheDevicesOwn() {
    let folders = HardwareFolders.current(variables: ["GODWIT_HARDWARE": "/a:/b::/a"], program: "/usr/bin/godwit")
    #expect(folders.paths == ["/a", "/b", "/etc/godwit/hardware", "/usr/share/godwit/hardware"])
    let local = HardwareFolders.current(variables: [:], program: "/usr/local/bin/godwitd")
    #expect(local.paths == ["/etc/godwit/hardware", "/usr/local/share/godwit/hardware", "/usr/share/godwit/hardware"])
    #expect(
      HardwareFolders.current(variables: [:], program: nil).paths == ["/etc/godwit/hardware", "/usr/share/godwit/hardware"])
  }

  @Test func aBuildFolderFindsItsCheckout() throws {
    let top = try Self.temporary()
    defer { try? FileManager.default.removeItem(atPath: top) }
    try Self.write("", to: "\(top)/hardware/chips/x.yaml")
    let built = HardwareFolders.current(variables: [:], program: "\(top)/.build/x86_64-unknown-linux-gnu/release/godwit")
    #expect(built.paths.last == "\(top)/hardware")
    let far = HardwareFolders.current(variables: [:], program: "\(top)/1/2/3/4/5/6/godwit")
    #expect(!far.paths.contains("\(top)/hardware"), "six levels are searched, not seven")
  }

  @Test func anEarlierFileOfTheSameNameWins() throws {
    let top = try Self.temporary()
    defer { try? FileManager.default.removeItem(atPath: top) }
    for path in [
      "first/chips/a.yaml", "second/chips/a.yaml", "second/chips/b.yaml", "second/chips/.c.yaml", "second/chips/d.txt",
    ] {
      try Self.write("", to: "\(top)/\(path)")
    }
    let files = HardwareFolders(["\(top)/none", "\(top)/first", "\(top)/second"]).files("chips")
    #expect(files == ["a": "\(top)/first/chips/a.yaml", "b": "\(top)/second/chips/b.yaml"])
  }
}
