import Platform
public import Telemetry

/// Programs of the user's own, each at its own pace: what they write becomes metrics that the profile states.
public struct ExecSensor: Sensor {
  private static let commandSpecs =
    [
      SettingSpec(required: "name", .key, help: "What it is called in metrics: `custom.NAME_METRIC`."),
      SettingSpec(required: "command", .command, help: "The program and its arguments. No shell looks at them."),
      SettingSpec(
        required: "format", .choice(ExecFormat.allCases.map(\.rawValue)), help: "How to read what it writes: docs/custom.md."),
      SettingSpec("every", .duration(1_000...86_400_000), default: "1m", help: "Its own pace, in whole samples of the sensor."),
      SettingSpec("timeout", .duration(100...600_000), default: "10s", help: "After which it is killed with what it started."),
      SettingSpec("max_output", .size(64...1 << 20), default: "64KiB", help: "More output than this is refused whole."),
      SettingSpec(
        "stale_after", .duration(1_000...7 * 86_400_000), default: nil, help: "How long its values stand; 3 × `every`."),
    ] + CustomMetrics.sourceSpecs

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "exec", summary: "Programs of your own: JSON, key=value, OpenMetrics, Nagios plug-ins.",
    sources: ["what the programs write (docs/custom.md)"], lane: .slow, timesAnswers: true, everySeconds: 10,
    settings: [
      SettingSpec("commands", .items(commandSpecs), default: nil, help: "The programs, 64 at most. Without any nothing is done.")
    ],
    metrics: [CustomMetrics.age, CustomMetrics.up, CustomMetrics.refused],
    check: { settings in
      let count = settings.items("commands").count
      guard count > CustomLimits.commands else { return [] }
      return [
        SettingFault("commands", what: "there are \(count) commands", remedy: "use at most \(CustomLimits.commands)")
      ]
    },
    bounds: { settings in
      CustomMetrics.bounds(kind: "exec", sources: settings.items("commands").map { $0.text("name") }, in: "commands")
    },
    stated: { settings in
      settings.items("commands").flatMap { item in
        CustomMetrics.stated(item.items("metrics"), prefix: "\(item.text("name"))_").map(\.metric)
          + ExecCommand.implied(item).values
      }
    })

  private let calls: any HostCalls
  private var commands: [ExecCommand] = []
  /// Rung when a program has ended.
  private let bell = Bell()

  /// Runs nothing yet.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    calls = context.host.calls
    commands = settings.items("commands").map(ExecCommand.init)
    guard !commands.isEmpty else { throw .absent("the profile names no commands") }
  }

  /// Starts what is due, waits a while for it, and reports what is there.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let now = readings.nanoseconds
    for index in commands.indices { commands[index].look(at: now) }
    let end = SystemClock.bootMilliseconds + CustomLimits.waitMilliseconds
    while true {
      bell.silence()
      for index in commands.indices { commands[index].finish(into: &readings) }
      var running = commands.count { $0.isRunning }
      for index in commands.indices where running < CustomLimits.commandsAtOnce && commands[index].isWaiting {
        commands[index].start(calls, bell)
        running += 1
      }
      let left = end - SystemClock.bootMilliseconds
      guard running > 0, left > 0 else { break }
      _ = Poll.wait([(bell.descriptor, .readable)], milliseconds: Int(left))
    }
    for index in commands.indices { commands[index].report(into: &readings) }
  }
}
