import ArgumentParser
import Testing

@testable import godwit

@Suite struct ArgumentTests {
  @Test(arguments: [
    ["bogus"], ["check", "a", "b"], ["check", "a", "--profile", "b"], ["sensors", "nothing"], ["sample", "--interval", "fast"],
    ["sample", "--sensor", "nothing"], ["sample", "--root", "/nowhere/at/all"], ["export", "--since", "yesterday"],
    ["export", "--format", "xml"], ["history"], ["history", "cpu.load1", "--plot", "--table"], ["status", "--bogus"],
    ["run", "x"], ["uplink", "x"], ["watch", "--json", "--raw"], ["watch", "--broker", "example"], ["watch", "--node", "a/b"],
    ["watch", "--prefix", "a/#"], ["watch", "--broker", "mqtt://h", "--ca-file", "f"],
    ["watch", "--broker", "mqtt://h", "--password-file", "f"],
    ["i2c", "scan", "x"], ["i2c", "scan", "--bus", "one"], ["i2c", "scan", "--root", "/nowhere/at/all"],
    // No tree of a device: a mistyped path would read as a machine that has nothing.
    ["detect", "--root", "/etc"], ["identity", "--root", "/etc"], ["identity", "x"], ["sample", "--root", "/etc/passwd"],
    ["gpio", "list", "--root", "/etc"],
    ["i2c", "read"], ["i2c", "read", "tmp102", "--option", "gain"], ["i2c", "read", "tmp102", "--root", "/nowhere/at/all"],
    ["output", "set", "fan", "up"], ["output", "set", "fan"], ["output", "set", "a fan", "on"],
    ["output", "set", "fan", "on", "--for", "8d"], ["output", "bogus"],
  ])
  func unusableArguments(arguments: [String]) {
    #expect(throws: (any Error).self) {
      do {
        _ = try Godwit.parseAsRoot(arguments)
      } catch {
        #expect(Godwit.exitCode(for: error) == .validationFailure)
        throw error
      }
    }
  }

  @Test(arguments: [["--help"], ["--version"], ["status", "--help"], ["help", "export"]])
  func helpIsNoFailure(arguments: [String]) throws {
    do {
      var command = try Godwit.parseAsRoot(arguments)
      try command.run()
    } catch {
      #expect(Godwit.exitCode(for: error) == .success)
    }
  }

  @Test(arguments: [
    ["run"], ["check"], ["detect", "--json"], ["identity", "--json", "--root", "/", "--profile", "p"],
    ["sample", "--sensor", "cpu", "--json"], ["status", "--watch", "--socket", "/s"],
    ["history", "cpu.load1", "--since", "2h", "--table"], ["export", "--format", "csv", "-o", "f"], ["sensors", "cpu"],
    ["uplink", "--follow", "--json"], ["i2c", "scan", "--bus", "1", "--json"],
    ["i2c", "read", "ina219", "--bus", "3", "--address", "0x41", "-o", "shunt_ohms=0.1", "--raw", "--json"],
    ["output"], ["output", "list"], ["output", "set", "fan", "auto", "--for", "5m"],
    ["watch", "--broker", "mqtts://h", "--ca-file", "f", "--node", "e-*", "--metric", "cpu.*", "--raw"],
  ])
  func usableArguments(arguments: [String]) throws {
    _ = try Godwit.parseAsRoot(arguments)
  }
}
