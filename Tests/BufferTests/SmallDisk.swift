import Foundation

@testable import Buffer

/// A tmpfs of a few megabytes, that can fill and become read-only. Only root may mount one.
final class SmallDisk {
  /// Whether this process may mount; tried once.
  static let isPermitted: Bool = (try? SmallDisk(bytes: 1 << 20)) != nil

  let scratch: Scratch

  init(bytes: Int) throws {
    scratch = try Scratch()
    try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", scratch.folder])
  }

  deinit { try? Self.run(["umount", "-l", scratch.folder]) }

  func remount(_ option: String) throws { try Self.run(["mount", "-o", "remount,\(option)", scratch.folder]) }

  private static func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw POSIXError(.EPERM) }
  }
}
