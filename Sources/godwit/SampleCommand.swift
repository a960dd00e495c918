import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit sample`: what the sensors read now.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Reads the sensors of this machine, or of a recorded tree, and prints the values.")

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Option(help: "Takes sensors and settings from this profile instead of the whole catalogue.")
  var profile: String?

  @Option(name: .customLong("sensor"), help: ArgumentHelp("Only this sensor; may be repeated.", valueName: "kind"))
  var sensors: [String] = []

  @Option(help: "Between the two samples that rates need: 100ms to 1h.")
  var interval: String = "1s"

  @Flag(help: "Prints one JSON object, its values under \"m\" as on the wire.")
  var json = false

  func validate() throws {
    guard let milliseconds = Quantity.milliseconds(interval), (100...3_600_000).contains(milliseconds) else {
      throw ValidationError("--interval '\(interval)' is no duration from 100ms to 1h")
    }
    for kind in sensors where SensorCatalogue.type(named: kind) == nil { throw UnknownSensor.error(kind) }
    try MachineRoot.validate(root)
  }

  func run() throws {
    var sampling = try chosen()
    sampling.sampleTwice(intervalMilliseconds: Quantity.milliseconds(interval) ?? 1000)
    if json {
      Output.write(SampleText.json(sampling.parts, time: WallTime.text(SystemClock().wallMilliseconds())))
    } else {
      Output.write(SampleText.table(sampling.parts))
    }
    // Absent hardware is no failure; a sensor that could not read is.
    if sampling.parts.contains(where: { $0.problem != nil && $0.absence == nil }) { throw ExitCode.failure }
  }

  private func chosen() throws -> DeviceSampling {
    let host = Host(root: root)
    guard let profile else { return DeviceSampling(kinds: sensors, host: host) }
    let loaded = try ProfileFile.load(profile)
    let wanted = loaded.sensors.filter { sensors.isEmpty || sensors.contains($0.kind) }
    return DeviceSampling(
      wanted.compactMap { sensor in SensorCatalogue.type(named: sensor.kind).map { (type: $0, settings: sensor.settings) } },
      host: host)
  }
}

/// How samples are written.
enum SampleText {
  /// Values by sensor, aligned, then one line each for what is absent and what failed.
  static func table(_ parts: [DeviceSampling.Part]) -> String {
    var lines: [String] = []
    for part in parts where part.problem == nil {
      lines.append(part.kind.name)
      var table = Table(.left, .right, .left)
      for (series, value) in part.readings.sorted {
        let decimals = series.metric.decimals
        table.add(Span(series.key), Span(Quantity.fixed(value, decimals: decimals)), Span(series.metric.unit.rawValue))
      }
      lines += table.isEmpty ? ["  no values"] : table.lines(indent: 2)
      lines += part.readings.problems.map { "  ! \($0)" }
      let others = part.readings.problemCount - part.readings.problems.count
      if others > 0 { lines.append("  ! and \(others) more") }
      lines.append("")
    }
    let absent = parts.compactMap { part in part.absence.map { "\(part.kind.name) (\($0))" } }
    if !absent.isEmpty { lines.append("absent: " + absent.joined(separator: ", ")) }
    for part in parts where part.absence == nil {
      if let problem = part.problem { lines.append("failed: \(part.kind.name): \(problem)") }
    }
    if lines.last == "" { lines.removeLast() }
    return lines.map { $0 + "\n" }.joined()
  }

  /// `{"t":…,"m":{…}}` and a line feed.
  static func json(_ parts: [DeviceSampling.Part], time: String) -> [UInt8] {
    var json = JSONWriter(capacity: 8192)
    json.beginObject()
    json.member("t", time)
    json.key("m")
    json.beginObject()
    for part in parts {
      for (series, value) in part.readings.sorted { json.member(series.key, value) }
    }
    json.endObject()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

/// The error for a kind of sensor that nobody knows.
enum UnknownSensor {
  static func error(_ kind: String) -> ValidationError {
    let names = SensorCatalogue.kinds.map(\.name)
    let remedy = Suggestion.remedy(for: kind, among: names, otherwise: "there are \(names.joined(separator: ", "))")
    return ValidationError("there is no sensor '\(kind)'; \(remedy)")
  }
}
