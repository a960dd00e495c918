import Platform
public import Telemetry

/// Doors, leaks, power-loss lines, meters and tachometers at GPIO lines; what happens between two samples is not missed.
public struct GPIOSensor: Sensor {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, help: String
  ) -> Metric {
    Metric("gpio.\(name)", unit: unit, kind: kind, decimals: decimals, labels: ["input"], help: help)
  }

  private static let active = metric("active", help: "1 when the input is active now.")
  private static let wasActive = metric(
    "was_active", help: "1 when the input was active at any moment since the sample before, however short.")
  private static let activations = metric(
    "activations_total", kind: .counter, help: "How often the input became active since the sensor was started.")
  private static let activeSeconds = metric(
    "active_seconds_total", .seconds, kind: .counter, decimals: 3,
    help: "How long the input was active since the sensor was started.")
  private static let pulses = metric("pulses_total", kind: .counter, help: "Pulses since the sensor was started.")
  private static let pulseRate = metric(
    "pulses_per_second", .perSecond, decimals: 2,
    help: "How fast pulses come, from the kernel's times of them; slower than one in 10 s is 0.")
  private static let revolutions = metric(
    "revolutions_per_minute", .revolutionsPerMinute, help: "The speed of a fan or wheel, where pulses_per_revolution is given.")
  private static let units = metric(
    "units_total", kind: .counter, decimals: 3,
    help: "What a meter counted since the sensor was started, where pulses_per_unit is given.")
  private static let unitRate = metric(
    "units_per_hour", decimals: 3, help: "How much a meter counts in an hour at the present rate, where pulses_per_unit is given."
  )
  private static let lostEdges = metric(
    "lost_edges_total", kind: .counter,
    help:
      "Edges that the kernel had no room for. With libgpiod 1 their number is not known: each time that there were some counts as one."
  )

  private static let levelMetrics = [active, wasActive, activations, activeSeconds, lostEdges]
  private static let pulseMetrics = [pulses, pulseRate, revolutions, units, unitRate, lostEdges]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "gpio", summary: "Inputs at GPIO lines: doors, tampers, leaks, mains lost, flow meters, fan tachometers.",
    sources: ["/dev/gpiochip* through libgpiod (Documentation/userspace-api/gpio/chardev.rst)"],
    // A line of a port expander is read over its bus, and may block.
    lane: .slow,
    settings: [
      SettingSpec(
        "inputs", .items(GPIOInputSettings.specs), default: nil,
        help: "The lines that are inputs, 64 at most. Without any there is nothing to do.")
    ],
    metrics: levelMetrics + pulseMetrics.dropLast(), check: GPIOInputSettings.check,
    bounds: bounds)

  private static func bounds(_ settings: Settings) -> [MetricBound] {
    let inputs = settings.items("inputs").map { GPIOInputSettings($0) }
    func names(_ isMeant: (GPIOInputSettings) -> Bool) -> [String] { inputs.filter(isMeant).map(\.name) }
    func bound(_ metrics: [Metric], _ names: [String], needs: String) -> MetricBound {
      names.isEmpty
        ? .off(metrics, why: "no input has '\(needs)'", remedy: "write it at an item of 'inputs'")
        : .label("input", of: metrics, is: names)
    }
    return [
      bound(levelMetrics.dropLast(), names { !$0.countsPulses }, needs: "kind: level"),
      bound([pulses, pulseRate], names(\.countsPulses), needs: "kind: pulses"),
      bound([revolutions], names { $0.pulsesPerRevolution != nil }, needs: "pulses_per_revolution"),
      bound([units, unitRate], names { $0.pulsesPerUnit != nil }, needs: "pulses_per_unit"),
      .named("input", of: [lostEdges], in: "inputs", inputs.map(\.name)),
    ]
  }

  private let settings: [GPIOInputSettings]
  private let watch: GPIOWatch
  private let slots: [[Slot]]
  private var samplesToLook = GPIOLimits.samplesBetweenLooks

  /// Takes the lines. Those that are not to be had are looked for again from time to time.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    let inputs = settings.items("inputs").map { GPIOInputSettings($0) }
    guard !inputs.isEmpty else { throw .absent("the profile names no inputs") }
    guard inputs.count <= GPIOLimits.inputs else {
      throw .device("inputs", what: "there are \(inputs.count), and \(GPIOLimits.inputs) at most are watched")
    }
    self.settings = inputs
    var slots: [[Slot]] = []
    for input in inputs {
      let label = [Label("input", input.name)]
      slots.append((input.countsPulses ? Self.pulseMetrics : Self.levelMetrics).map { readings.slot($0, label) })
    }
    self.slots = slots
    watch = GPIOWatch(inputs, gpio: context.host.calls.gpio, at: readings.nanoseconds)
    if let failure = watch.failure { throw failure }
  }

  /// Tells what happened since the sample before.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let now = readings.nanoseconds
    var isMissingSome = false
    watch.sample(at: now) { index, input in
      if let failure = input.failure {
        isMissingSome = true
        readings.note(failure)
        return
      }
      let slots = slots[index]
      if let level = input.level(at: now) {
        readings.set(slots[0], level.isActive ? 1 : 0)
        readings.set(slots[1], level.wasActive ? 1 : 0)
        readings.set(slots[2], Double(level.activations))
        readings.set(slots[3], level.activeSeconds)
        readings.set(slots[4], Double(input.lostEdges))
      } else if let pulses = input.pulses(at: now) {
        Self.report(pulses.total, pulses.perSecond, of: input.settings, slots, into: &readings)
        readings.set(slots[5], Double(input.lostEdges))
      }
    }
    guard isMissingSome else { return }
    if let failure = watch.failure { throw failure }
    samplesToLook -= 1
    if samplesToLook <= 0 {
      samplesToLook = GPIOLimits.samplesBetweenLooks
      watch.openMissing(at: now)
    }
  }

  private static func report(
    _ total: UInt64, _ perSecond: Double, of input: GPIOInputSettings, _ slots: [Slot], into readings: inout Readings
  ) {
    readings.set(slots[0], Double(total))
    readings.set(slots[1], perSecond)
    if let pulses = input.pulsesPerRevolution { readings.set(slots[2], perSecond * 60 / Double(pulses)) }
    if let pulses = input.pulsesPerUnit {
      readings.set(slots[3], Double(total) / Double(pulses))
      readings.set(slots[4], perSecond * 3600 / Double(pulses))
    }
  }
}
