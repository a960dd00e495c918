import Glibc
import Platform
public import Telemetry

/// Pressure stall information: how much of the time tasks waited for a processor, for memory or for I/O.
///
/// Documentation/accounting/psi.rst: `some` is the share of time in which at least one task waited, `full` that in which all tasks
/// did. The averages run over 10, 60 and 300 s; `total` counts microseconds since boot.
public struct PressureSensor: Sensor {
  private static let resources = ["cpu", "memory", "io"]
  private static let labels = ["resource"]

  private static func average(_ name: String, _ window: String, _ who: String) -> Metric {
    Metric(
      name, unit: .percent, decimals: 2, labels: labels,
      help: "Share of the last \(window) in which \(who) waited for this resource.")
  }

  private static func stall(_ name: String, _ who: String) -> Metric {
    Metric(
      name, unit: .secondsPerSecond, decimals: 4, labels: labels,
      help: "Time in which \(who) waited for this resource, per second, since the last sample.")
  }

  private static let oneTask = "at least one task"
  private static let allTasks = "all tasks that had work to do"
  private static let some = [
    average("pressure.some_avg10_percent", "10 seconds", oneTask),
    average("pressure.some_avg60_percent", "60 seconds", oneTask),
    average("pressure.some_avg300_percent", "5 minutes", oneTask),
    stall("pressure.some_stall_seconds_per_second", oneTask),
  ]
  private static let full = [
    average("pressure.full_avg10_percent", "10 seconds", allTasks),
    average("pressure.full_avg60_percent", "60 seconds", allTasks),
    average("pressure.full_avg300_percent", "5 minutes", allTasks),
    stall("pressure.full_stall_seconds_per_second", allTasks),
  ]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "pressure", summary: "Pressure stall information: time lost waiting for processor, memory and I/O.",
    sources: ["/proc/pressure/{cpu,memory,io} (Documentation/accounting/psi.rst)"],
    metrics: some + full)

  /// One line of a file.
  private struct Line {
    let average10, average60, average300, stall: Slot
    var rate = Rate(.bits64)

    init(_ metrics: [Metric], _ resource: String, into readings: inout Readings) {
      let slots = metrics.map { readings.slot($0, [Label("resource", resource)]) }
      (average10, average60, average300, stall) = (slots[0], slots[1], slots[2], slots[3])
    }
  }

  private struct Resource {
    let name: String
    let file: HostFile
    var some: Line
    /// Made when it is first seen: before Linux 5.13 the file of the processor has no such line.
    var full: Line?
  }

  private var resources: [Resource] = []

  /// Finds which of the three files are there and answer.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    for name in Self.resources {
      let file = context.host.file("/proc/pressure/\(name)")
      do {
        try file.read { (_) throws(SensorError) in }
      } catch {
        if Self.isAbsence(error) { continue }
      }
      resources.append(Resource(name: name, file: file, some: Line(Self.some, name, into: &readings)))
    }
    guard !resources.isEmpty else { throw .absent("/proc/pressure") }
  }

  /// Kernels built without PSI have no such file; before Linux 6.1 one booted with `psi=0` has it, but answers EOPNOTSUPP.
  static func isAbsence(_ error: SensorError) -> Bool {
    switch error {
    case .absent, .io(_, EOPNOTSUPP): true
    default: false
    }
  }

  /// Reads each file; one that fails costs only its own values.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    var failed = 0
    for index in resources.indices {
      let file = resources[index].file
      do {
        try file.read { (text) throws(SensorError) in try Self.parse(&text, of: &resources[index], into: &readings) }
      } catch {
        readings.note(error)
        failed += 1
      }
    }
    if failed == resources.count, let problem = readings.problem { throw problem }
  }

  private static func parse(
    _ text: inout ByteScanner, of resource: inout Resource, into readings: inout Readings
  ) throws(SensorError) {
    guard text.skip("some ") else {
      throw .malformed(path: resource.file.path, what: "the first line does not begin with 'some'")
    }
    try parse(&text, of: &resource.some, path: resource.file.path, into: &readings)
    text.skipLine()
    guard text.skip("full ") else { return }
    var line = resource.full ?? Line(full, resource.name, into: &readings)
    try parse(&text, of: &line, path: resource.file.path, into: &readings)
    resource.full = line
  }

  /// `avg10=0.12 avg60=0.34 avg300=0.56 total=1234567`
  private static func parse(
    _ text: inout ByteScanner, of line: inout Line, path: String, into readings: inout Readings
  ) throws(SensorError) {
    guard text.skip("avg10="), let ten = text.decimal(), text.skip(" avg60="), let sixty = text.decimal(),
      text.skip(" avg300="), let threeHundred = text.decimal(), text.skip(" total="), let microseconds = text.unsigned()
    else { throw .malformed(path: path, what: "a line is not 'avg10= avg60= avg300= total='") }
    readings.set(line.average10, ten)
    readings.set(line.average60, sixty)
    readings.set(line.average300, threeHundred)
    readings.set(line.stall, line.rate.perSecond(microseconds, at: readings.nanoseconds).map { $0 / 1e6 })
  }
}
