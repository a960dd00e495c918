import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

/// What the tests of services share: their programs' answers, and a sensor of this machine.
enum ServicePeers {
  /// The output of a program of the system, without the line feed at its end; nil, with a line that says so, where it is not installed.
  static func output(_ name: String, _ arguments: [String]) throws -> String? {
    do {
      let answer = try Platform.Host().program(name, arguments, timeoutMilliseconds: 20_000)
      return String(decoding: answer.output, as: UTF8.self).trimmingCharacters(in: .newlines)
    } catch SensorError.absent {
      print("skipped: \(name) is not installed")
      return nil
    }
  }

  /// A sensor with the settings that stand in a profile as `yaml`, and its readings of one sample after another.
  final class Sampled {
    private(set) var readings = Readings()
    private var sensor: any Sensor
    private var seconds: Int64 = 1

    init(_ kind: String, _ yaml: String, host: Platform.Host = Platform.Host()) throws {
      let type = try #require(SensorCatalogue.type(named: kind))
      let given = yaml.split(separator: "\n").map { "    \($0)\n" }.joined()
      let profile = try Profile.parse(
        files: [("settings", Array("node: test\nsensors:\n  \(kind):\n\(given)".utf8))], catalogue: [type.kind],
        environment: ProfileEnvironment(hostName: "test"))
      let settings = profile.sensors.first?.settings ?? Settings(type.kind.settings)
      readings.begin(nanoseconds: 1_000_000_000)
      sensor = try type.init(context: SensorContext(host: host), settings: settings, readings: &readings)
    }

    func sample() throws {
      seconds += 30
      readings.begin(nanoseconds: seconds * 1_000_000_000)
      try sensor.sample(into: &readings)
    }

    /// The value of a series by its key; nil when it is missing.
    subscript(key: String) -> Double? {
      guard let index = readings.series.firstIndex(where: { $0.key == key }), !readings.values[index].isMissing else {
        return nil
      }
      return readings.values[index]
    }
  }
}
