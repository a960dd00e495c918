// swift-tools-version: 6.1
import PackageDescription

// One strict dialect for every module: see CONTRIBUTING.md, "The house".
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .unsafeFlags(["-warnings-as-errors"]),
]

/// Keeps the regex engine (1.4 MB) out of the agent: `contains("text")` would draw it in, and does not compile with this.
let lean: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])]

/// A module of the agent and exactly what it may import; ArchitectureTests holds the table against this file.
func module(_ name: String, uses dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict + lean)
}

func tests(_ name: String, uses dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A program that the tests start; no part of what is shipped.
func program(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: strict)
}

/// A program that measures; no part of what is shipped.
func benchmark(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: "Benchmarks/\(name)", swiftSettings: strict)
}

let package = Package(
  name: "godwit",
  products: [
    .executable(name: "godwitd", targets: ["godwitd"]),
    .executable(name: "godwit", targets: ["godwit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // For the tests only: what Sparkplug's payloads are checked against. It would cost the agent 9 MB.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    // System libraries: a module map and a shim, nothing else.
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CGPIOD", pkgConfig: "libgpiod", providers: [.apt(["libgpiod-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CDeviceLibraries"),

    module("Telemetry"),
    module("Platform", uses: ["Telemetry", "CLinux", "CGPIOD", "CSQLite", "CZlib"]),
    module("Profile", uses: ["Telemetry", "CYAML"]),
    module("Sensors", uses: ["Telemetry", "Platform"]),
    module("Buffer", uses: ["Telemetry", "CSQLite", "CZlib"]),
    module("Alerts", uses: ["Telemetry"]),
    module("Uplink", uses: ["Telemetry", "Platform", "Buffer", "CMosquitto"]),
    module("Agent", uses: ["Telemetry", "Platform", "Profile", "Sensors", "Buffer", "Alerts", "Uplink"]),

    module("DeviceLibraries", uses: ["Telemetry", "CDeviceLibraries"]),

    .executableTarget(name: "godwitd", dependencies: ["Agent"], swiftSettings: strict + lean),
    .executableTarget(
      name: "godwit",
      dependencies: [
        "Telemetry", "Platform", "Profile", "Sensors", "Buffer", "Uplink", "DeviceLibraries",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    benchmark("StorageBench", uses: ["Buffer", "Platform", "Telemetry", "Uplink", "CSQLite", "Randomness"]),

    // The tests' random numbers, which a seed repeats; no part of what is shipped.
    .target(name: "Randomness", path: "Tests/Support/Randomness", swiftSettings: strict),
    tests("TelemetryTests", uses: ["Telemetry", "Randomness"]),
    tests("PlatformTests", uses: ["Platform", "Telemetry", "Randomness"], exclude: ["Python"]),
    tests("SensorsTests", uses: ["Sensors", "Platform", "Profile", "Telemetry", "Randomness"], exclude: ["Cases", "Python"]),
    // Loads fake libraries, which it compiles, in the real program.
    tests("DeviceLibrariesTests", uses: ["DeviceLibraries", "Sensors", "Platform", "Telemetry", "godwit"]),
    tests("ProfileTests", uses: ["Profile", "Telemetry", "Sensors", "Randomness"], exclude: ["Cases"]),
    tests("AlertsTests", uses: ["Alerts", "Telemetry", "Randomness"]),
    // Power cuts and failing calls for the buffer's tests; no part of what is shipped.
    .target(name: "CFaultVFS", dependencies: ["CSQLite"], path: "Tests/Support/CFaultVFS"),
    program("KillableWriter", uses: ["Buffer", "Telemetry"]),
    tests("BufferTests", uses: ["Buffer", "Telemetry", "CSQLite", "CFaultVFS", "KillableWriter", "Randomness"]),
    // Generated: see its README.
    .target(
      name: "SparkplugProto", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Tests/Support/SparkplugProto", exclude: ["README.md", "sparkplug_b.proto"],
      swiftSettings: [.swiftLanguageMode(.v6)]),
    tests(
      "UplinkTests",
      uses: [
        "Uplink", "Buffer", "Platform", "Telemetry", "CMosquitto", "SparkplugProto", "Randomness",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Python"]),
    tests("AgentTests", uses: ["Agent", "Alerts", "Buffer", "Platform", "Profile", "Sensors", "Telemetry", "Uplink"]),
    tests("ArchitectureTests", uses: []),
    tests(
      "GodwitTests",
      uses: [
        "godwit", "Buffer", "Platform", "Profile", "Sensors", "Telemetry", "Uplink",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Golden"]),
    tests("EndToEndTests", uses: ["CMosquitto", "CSQLite", "KillableWriter", "Randomness"]),
  ]
)
