import Platform
public import Telemetry

/// Files that jobs leave in a directory, as for node_exporter's textfile collector: a job writes to another name and renames it to
/// `NAME.prom`, so that a file is always whole.
public struct TextfileSensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "textfile", summary: "Files NAME.prom that jobs leave in a directory, in the text form of Prometheus or OpenMetrics.",
    sources: ["*.prom (docs/custom.md)"], lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec("directory", .text, default: "/var/lib/godwit/textfile", help: "Where the files are; absolute."),
      SettingSpec(
        "stale_after", .duration(1_000...366 * 86_400_000), default: "1d",
        help: "A file written longer ago has no values any more."),
    ] + CustomMetrics.sourceSpecs,
    metrics: [CustomMetrics.age, CustomMetrics.up, CustomMetrics.refused],
    check: { CustomMetrics.fault(ofPath: $0.text("directory"), key: "directory") },
    bounds: { _ in CustomMetrics.bounds(kind: "textfile", sources: nil, in: "") },
    stated: { CustomMetrics.stated($0.items("metrics"), prefix: "").map(\.metric) })

  /// What was read of a file.
  private struct File {
    var source: CustomSource
    var isSeen = true
  }

  private let host: Host
  private let directory: String
  private let settings: Settings
  private var files: [String: File] = [:]
  /// Those that have series of their own.
  private var names: Set<String> = []

  /// Looks for the directory.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    self.settings = settings
    directory = settings.text("directory")
    guard host.isDirectory(directory) else { throw .absent(directory) }
  }

  /// Reads all files once. One that fails costs only its own values.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let names = try host.list(directory).filter { $0.hasSuffix(".prom") && !$0.hasPrefix(".") }
    for name in files.keys { files[name]?.isSeen = false }
    if names.count > CustomLimits.files {
      readings.note(.device(directory, what: "there are \(names.count) files, and \(CustomLimits.files) at most are read"))
    }
    var taken: Set<Slot> = []
    for name in names.prefix(CustomLimits.files) { read(name, besides: &taken, into: &readings) }
    files = files.filter { $0.value.isSeen }
  }

  private mutating func read(_ name: String, besides taken: inout Set<Slot>, into readings: inout Readings) {
    var label = String(name.dropLast(5))
    // A job that puts the date into its file's name must not make series without end.
    if names.contains(label) || names.count < CustomLimits.sources { names.insert(label) } else { label = "other" }
    var file =
      files[name]
      ?? File(
        source: CustomSource(
          kind: "textfile", source: label, prefix: "", settings: settings,
          staleMilliseconds: settings.milliseconds("stale_after")))
    file.isSeen = true
    do throws(SensorError) {
      let (bytes, age) = try host.untrustedFile("\(directory)/\(name)", limit: CustomLimits.fileBytes)
      let samples = try Self.samples(bytes)
      // A file of a clock that was set back since counts as new; one may claim any time of 64 bits.
      let written = readings.nanoseconds - min(max(0, age), CustomLimits.oldestMilliseconds) * 1_000_000
      file.source.take(samples, at: written, besides: &taken, into: &readings)
    } catch {
      switch error {
      // It was taken away between the look and the reading.
      case .absent: return
      case .malformed(_, let what): file.source.fault = .notRun(what)
      default: file.source.fault = .notRun("\(error)")
      }
    }
    file.source.report(into: &readings)
    files[name] = file
  }

  private static func samples(_ bytes: [UInt8]) throws(SensorError) -> [CustomSample] {
    do throws(CustomFault) {
      return try OpenMetricsText.samples(bytes)
    } catch {
      throw .malformed(path: "", what: error.description)
    }
  }
}
