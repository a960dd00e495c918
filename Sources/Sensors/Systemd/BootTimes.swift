import Platform
import Telemetry

/// How long the phases of a boot took, from the timestamps of systemd's manager (org.freedesktop.systemd1(5)), as systemd-analyze(1) counts:
///
/// ```
///   firmware        loader            0          initrd        userspace      finish
///      ├───────────────┼──────────────┼────────────┼──────────────┼─────────────┤
///          firmware         loader        kernel        initrd       userspace
/// ```
///
/// The first two are microseconds before the kernel was started, the others after it.
struct BootTimes {
  /// Phase and seconds.
  let phases: [(name: String, seconds: Double)]

  /// From the properties of the manager; nil while the boot goes on, and when they contradict each other.
  init?(_ properties: DBusValue) {
    func time(_ value: DBusValue?) -> Double { value?.number ?? 0 }
    let userspace = time(properties["UserspaceTimestampMonotonic"])
    let finish = time(properties["FinishTimestampMonotonic"])
    guard userspace > 0, finish >= userspace, finish < 0x1p63 else { return nil }
    // A container and a user's own systemd were started by no kernel: only their own part is known.
    guard time(properties["KernelTimestamp"]) > 0 else {
      let seconds = (finish - userspace) / 1e6
      phases = [("userspace", seconds), ("total", seconds)]
      return
    }
    let firmware = time(properties["FirmwareTimestampMonotonic"])
    let loader = time(properties["LoaderTimestampMonotonic"])
    let initrd = time(properties["InitRDTimestampMonotonic"])
    guard initrd <= userspace, firmware == 0 || firmware >= loader, firmware < 0x1p63, loader < 0x1p63 else { return nil }
    var phases: [(name: String, seconds: Double)] = []
    if firmware > 0 { phases.append(("firmware", (firmware - loader) / 1e6)) }
    if loader > 0 { phases.append(("loader", loader / 1e6)) }
    phases.append(("kernel", (initrd > 0 ? initrd : userspace) / 1e6))
    if initrd > 0 { phases.append(("initrd", (userspace - initrd) / 1e6)) }
    phases.append(("userspace", (finish - userspace) / 1e6))
    phases.append(("total", (firmware + finish) / 1e6))
    self.phases = phases
  }

  /// Sets all of them.
  func set(in readings: inout Readings) {
    for phase in phases { readings.set(readings.slot(SystemdMetrics.boot, [Label("phase", phase.name)]), phase.seconds) }
  }
}
