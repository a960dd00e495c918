import Testing

/// What the shipped service file lets the agent do.
@Suite struct UnitFileTests {
  private static let settings: [(key: String, value: String)] =
    (SourceTree.text("systemd/godwitd.service") ?? "").split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return parts.count == 2 && !line.hasPrefix("#") ? (String(parts[0]), String(parts[1])) : nil
    }

  /// systemd.resource-control(5), `DevicePolicy=auto`: one DeviceAllow= bars all other device files, and before systemd 253 ProtectClock=
  /// implied one (systemd issue 18142). Then no bus, line, watchdog, firmware or GPU could be opened.
  @Test func noDeviceFileIsBarred() {
    let keys = Set(Self.settings.map(\.key))
    #expect(keys.contains("ExecStart"))
    #expect(keys.isDisjoint(with: ["ProtectClock", "DeviceAllow", "DevicePolicy", "PrivateDevices"]))
  }

  /// It is no part of @system-service (systemd-analyze syscall-filter); only its capability lets it set the clock.
  @Test func theClockCanBeReadAndNotSet() {
    let calls = Self.settings.filter { $0.key == "SystemCallFilter" }.flatMap { $0.value.split(separator: " ") }
    #expect(calls.contains("adjtimex") && calls.contains("clock_adjtime"))
    #expect(Self.settings.contains { $0.key == "CapabilityBoundingSet" && $0.value.isEmpty })
  }
}
