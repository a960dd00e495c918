import Foundation
import Testing

/// The release agent as it would be shipped. `make test` builds it first; there, a missing one is a failure.
@Suite struct ReleaseBinaryTests {
  private static let path =
    ProcessInfo.processInfo.environment["GODWIT_RELEASE_BIN"]
    ?? SourceTree.root.appendingPathComponent(".build/release/godwitd").path
  private static let isRequired = ["CI", "GODWIT_REQUIRE_RELEASE"].contains { ProcessInfo.processInfo.environment[$0] != nil }
  private static let isPresent = FileManager.default.fileExists(atPath: path)
  private static let maximumBytes = 10_000_000

  @Test func isThereWhereItMustBe() {
    #expect(!ReleaseBinaryTests.isRequired || ReleaseBinaryTests.isPresent, "\(ReleaseBinaryTests.path): make build")
  }

  @Test(.enabled(if: isPresent)) func holdsNoFoundation() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: ReleaseBinaryTests.path))
    // Mangled names of the modules, and ICU's data by its package name.
    for mark in ["10Foundation", "20FoundationEssentials", "29FoundationInternationalization", "libFoundation", "icudt"] {
      #expect(bytes.range(of: Data(mark.utf8)) == nil, "godwitd holds \(mark)")
    }
    // The scan can find such a thing: a name that every Swift program of ours holds.
    #expect(bytes.range(of: Data("Telemetry".utf8)) != nil)
  }

  @Test(.enabled(if: isPresent)) func holdsNoLibraryOfTheTests() throws {
    for program in [ReleaseBinaryTests.path, ReleaseBinaryTests.path.replacing(/d$/, with: "")]
    where FileManager.default.fileExists(atPath: program) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: program))
      #expect(bytes.range(of: Data("SwiftProtobuf".utf8)) == nil, "\(program) holds SwiftProtobuf")
    }
  }

  @Test(.enabled(if: isPresent)) func needsOnlyLibrariesOfTheSystem() throws {
    let (status, output) = try ReleaseBinaryTests.run(["readelf", "-d", ReleaseBinaryTests.path])
    try #require(status == 0, "\(output)")
    let needed = output.matches(of: /\(NEEDED\).*\[(.+?)\]/).map { String($0.1) }
    let allowed = ["libc.", "libm.", "libsqlite3.", "libmosquitto.", "libyaml-0.", "libz.", "libgpiod.", "ld-linux"]
    #expect(!needed.isEmpty)
    for library in needed {
      let isSystem = allowed.contains { library.hasPrefix($0) }
      // Shared when no archive of them was found at build time.
      let isCompiler = library.hasPrefix("libstdc++.") || library.hasPrefix("libgcc_s.")
      #expect(isSystem || isCompiler, "godwitd needs \(library)")
    }
  }

  @Test(.enabled(if: isPresent)) func isSmall() throws {
    let copy = NSTemporaryDirectory() + "/godwitd-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: ReleaseBinaryTests.path, toPath: copy)
    let (status, output) = try ReleaseBinaryTests.run(["strip", copy])
    try #require(status == 0, "\(output)")
    let size = try #require(FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int)
    #expect(size <= ReleaseBinaryTests.maximumBytes, "godwitd takes \(size) bytes stripped")
  }

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}
