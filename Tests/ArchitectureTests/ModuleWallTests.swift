import Foundation
import Testing

/// Who may import whom. The package enforces it for the modules it knows; this table is what the package is held against, and it
/// speaks of the system's modules too.
@Suite struct ModuleWallTests {
  /// A module, the project's modules it may use, and the others it may import.
  static let walls: [String: (uses: Set<String>, system: Set<String>)] = [
    "Telemetry": ([], ["Synchronization"]),
    "Platform": (["Telemetry", "CLinux", "CGPIOD", "CSQLite", "CZlib"], ["Glibc", "Synchronization"]),
    "Profile": (["Telemetry", "CYAML"], ["Glibc"]),
    "Sensors": (["Telemetry", "Platform"], ["Glibc", "Synchronization"]),
    "Buffer": (["Telemetry", "CSQLite", "CZlib"], ["Glibc", "Synchronization"]),
    "Alerts": (["Telemetry"], []),
    "Uplink": (["Telemetry", "Platform", "Buffer", "CMosquitto"], ["Glibc", "Synchronization"]),
    "Agent": (
      ["Telemetry", "Platform", "Profile", "Sensors", "Buffer", "Alerts", "Uplink"], ["Glibc", "Synchronization"]
    ),
    "DeviceLibraries": (["Telemetry", "CDeviceLibraries"], []),
    "godwitd": (["Agent"], ["Glibc"]),
    "godwit": (
      ["Telemetry", "Platform", "Profile", "Sensors", "Buffer", "Uplink", "DeviceLibraries"],
      ["Glibc", "ArgumentParser", "FoundationEssentials"]
    ),
  ]

  @Test func everyModuleHasAWall() {
    #expect(Set(SourceTree.sources.map(\.module)) == Set(ModuleWallTests.walls.keys))
  }

  @Test(arguments: SourceTree.sources) func importsOnlyWhatItMay(file: SourceTree.File) throws {
    let wall = try #require(ModuleWallTests.walls[file.module])
    for name in ModuleWallTests.imports(of: file) {
      #expect(wall.uses.contains(name) || wall.system.contains(name), "\(file.path) imports \(name)")
    }
  }

  @Test func thePackageSaysTheSame() throws {
    let package = try #require(SourceTree.text("Package.swift"))
    let declared = ModuleWallTests.declaredUses(in: package)
    #expect(Set(declared.keys) == Set(ModuleWallTests.walls.keys))
    for (module, wall) in ModuleWallTests.walls {
      #expect(declared[module] == wall.uses, "Package.swift and the table differ on \(module)")
    }
  }

  @Test func librariesOfTheTestsStayThere() throws {
    let package = try #require(SourceTree.text("Package.swift"))
    try #require(package.contains("swift-protobuf"))
    for (module, list) in ModuleWallTests.declarations(in: package) {
      #expect(!list.contains("swift-protobuf"), "\(module) is shipped and uses a library of the tests")
    }
  }

  @Test func noModuleUsesItselfThroughOthers() {
    for module in ModuleWallTests.walls.keys {
      var seen: Set<String> = []
      var open = ModuleWallTests.walls[module]?.uses ?? []
      while let next = open.popFirst() {
        if seen.insert(next).inserted { open.formUnion(ModuleWallTests.walls[next]?.uses ?? []) }
      }
      #expect(!seen.contains(module))
    }
  }

  @Test func whatAnImportIs() {
    let file = SourceTree.File(
      path: "Sources/A/a.swift",
      text: """
        public import Telemetry
        @preconcurrency internal import Glibc
        import struct Buffer.Row
        #if canImport(Musl)
          import Musl
        #endif
        // import Foundation
        let important = "import Nothing"
        """)
    #expect(ModuleWallTests.imports(of: file) == ["Telemetry", "Glibc", "Buffer", "Musl"])
  }

  /// The modules that a file imports.
  static func imports(of file: SourceTree.File) -> [String] {
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    return file.code.compactMap { line in
      let words = line.text.split(separator: " ").map(String.init)
      guard let place = words.firstIndex(of: "import"), place + 1 < words.count else { return nil }
      guard words[..<place].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) }) else { return nil }
      let name = kinds.contains(words[place + 1]) && place + 2 < words.count ? words[place + 2] : words[place + 1]
      return name.split(separator: ".").first.map(String.init)
    }
  }

  private static let accessLevels: Set<String> = ["public", "package", "internal", "fileprivate", "private"]

  /// The project's modules that Package.swift lets each module use.
  private static func declaredUses(in package: String) -> [String: Set<String>] {
    var found: [String: Set<String>] = [:]
    for (module, list) in declarations(in: package) {
      // Products of other packages are `.product(name: "…")`; a quoted word that follows a comma or opens the list is ours.
      let ours = list.replacing(/\.product\([^)]*\)/, with: "")
      found[module] = Set(ours.matches(of: /"(\w+)"/).map { String($0.1) })
    }
    return found
  }

  /// The modules of what is shipped, and the text of what each depends on.
  private static func declarations(in package: String) -> [(module: String, list: String)] {
    let flat = package.components(separatedBy: .newlines).joined(separator: " ")
    let declaration = /(?:module\(|\.executableTarget\(\s*name: )"(\w+)"(?:,\s*(?:uses|dependencies):\s*\[([^\]]*)\])?/
    return flat.matches(of: declaration).map { (String($0.1), String($0.2 ?? "")) }
  }
}
