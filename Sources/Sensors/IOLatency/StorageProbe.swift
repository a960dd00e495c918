import Platform
import Telemetry

/// An item of `probes:` in the settings, and how its last probe went.
struct StorageProbe {
  static let specs = [
    SettingSpec(
      required: "path", .text,
      help: "To read: a block device or a file. To write: a directory, in which `.godwit-probe` is made and removed."),
    SettingSpec(
      "operation", .choice(["read", "write"]), default: "read", help: "4 KiB past the page cache, or 4 KiB and fsync."),
    SettingSpec("every", .duration(1_000...86_400_000), default: "1m", help: "Its own pace, in whole samples of the sensor."),
  ]

  /// What is wrong with the probes of a profile.
  static func check(_ settings: Settings) -> [SettingFault] {
    let items = settings.items("probes")
    var faults: [SettingFault] = []
    for (index, item) in items.enumerated() {
      let (path, operation) = (item.text("path"), item.text("operation"))
      if !path.hasPrefix("/") {
        faults.append(
          SettingFault("probes", item: index, "path", what: "the path '\(path)' is not absolute", remedy: "begin it with `/`"))
      }
      if items[..<index].contains(where: { $0.text("path") == path && $0.text("operation") == operation }) {
        faults.append(
          SettingFault("probes", item: index, what: "two probes \(operation) '\(path)'", remedy: "leave one of them out"))
      }
    }
    if items.count > IOLatencyLimits.probes {
      faults.append(
        SettingFault(
          "probes", what: "there are \(items.count) probes", remedy: "\(IOLatencyLimits.probes) at most are made"))
    }
    return faults
  }

  private let probe: DiskProbe
  private let everyNanoseconds: Int64
  private let slots: (time: Slot, responding: Slot)
  private var dueAt = Int64.min
  private var askedAt: Int64?
  private var answer: BlockingProbe.Answer?
  private var blocking: BlockingProbe?

  init(_ settings: Settings, _ readings: inout Readings) {
    probe = DiskProbe(path: settings.text("path"), isWrite: settings.text("operation") == "write")
    everyNanoseconds = Int64(settings.milliseconds("every")) * 1_000_000
    let labels = [Label("operation", settings.text("operation")), Label("path", probe.path)]
    slots = (readings.slot(IOLatencyMetrics.probe, labels), readings.slot(IOLatencyMetrics.responding, labels))
  }

  /// Begins a probe when one is due and none is under way, be it one of a sensor before this.
  mutating func ask(on host: Host, at now: Int64, clock: any Clock) {
    guard askedAt == nil, now >= dueAt else { return }
    guard let blocking = BlockingProbe.of("\(probe.isWrite ? "write" : "read"):\(probe.path)", on: host) else {
      (answer, self.blocking) = (nil, nil)
      return
    }
    let (probe, calls) = (probe, host.calls)
    blocking.ask(clock: clock) { () throws(SensorError) in try calls.time(probe) }
    self.blocking = blocking
    askedAt = now
    // On the grid of its pace, and not behind by what was missed.
    dueAt = dueAt == .min || now - dueAt >= everyNanoseconds ? now + everyNanoseconds : dueAt + everyNanoseconds
  }

  /// Takes the answer, which is waited for until a time of CLOCK_BOOTTIME, and reports the newest.
  mutating func report(at now: Int64, waitingUntil end: Int64, into readings: inout Readings) {
    if let askedAt {
      let isLate = now - askedAt > IOLatencyLimits.probeNanoseconds
      if let taken = blocking?.answer(until: isLate ? 0 : end) {
        (answer, self.askedAt) = (taken, nil)
      } else if blocking?.isOpen == false {
        // No thread could be begun, or a sensor that goes took the answer: asked anew when it is due.
        self.askedAt = nil
      } else if isLate {
        answer = nil
        readings.set(slots.responding, 0)
        readings.note(.device(probe.path, what: "a probe does not come back"))
      }
    }
    guard let answer else {
      if blocking == nil { readings.note(.device(probe.path, what: "not probed: too many probes do not come back")) }
      return
    }
    if let error = answer.error {
      // A device that is configured and gone is a fault.
      if case .absent(let what) = error {
        readings.note(.device(what, what: "a probe finds nothing there"))
      } else {
        readings.note(error)
      }
      readings.set(slots.responding, 0)
    } else {
      readings.set(slots.responding, 1)
      readings.set(slots.time, answer.milliseconds)
    }
  }
}
