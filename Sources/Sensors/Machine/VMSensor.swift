import Platform
public import Telemetry

/// The virtual machine or container that the system runs in, and the memory that the host took back.
public struct VMSensor: Sensor {
  private static let info = Metric(
    "vm.info", unit: .none, labels: ["hypervisor", "container", "product"],
    help: "Always 1: what the system runs in, by its labels; `none` where there is none.")
  private static let balloon = Metric(
    "vm.balloon_bytes", unit: .bytes, help: "Memory that the guest gave back to the host by its balloon.")
  private static let inflated = Metric(
    "vm.balloon_inflated_bytes", unit: .bytes, kind: .counter, help: "Memory given back since boot, all times together.")
  private static let deflated = Metric(
    "vm.balloon_deflated_bytes", unit: .bytes, kind: .counter, help: "Memory that the guest got again since boot.")
  private static let memory = Metric(
    "vm.memory_bytes", unit: .bytes, help: "Memory that the guest has now, as its host counts (Xen).")
  private static let target = Metric(
    "vm.memory_target_bytes", unit: .bytes, help: "Memory that the host wants the guest to have (Xen).")

  private static let xen = "/sys/devices/system/xen_memory/xen_memory0"
  /// VMware (drivers/misc/vmw_balloon.c) and Hyper-V (drivers/hv/hv_balloon.c); for root only.
  private static let debugFiles = ["/sys/kernel/debug/vmmemctl", "/sys/kernel/debug/hv-balloon"]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "vm",
    summary:
      "Virtual machine or container, and its memory balloon. What the host takes of the processors is `cpu.mode_percent{mode=\"steal\"}`.",
    sources: [
      "/sys/class/dmi/id, /sys/hypervisor, /proc/device-tree, CPUID, /proc/1/environ, /run/.containerenv, /.dockerenv (systemd-detect-virt(1))",
      "/proc/vmstat (include/linux/vm_event_item.h: BALLOON_INFLATE, BALLOON_DEFLATE)",
      "/sys/devices/system/xen_memory (Documentation/ABI/stable/sysfs-devices-system-xen_memory)",
      "/sys/kernel/debug/{vmmemctl,hv-balloon}",
    ],
    everySeconds: 30, metrics: [info, balloon, inflated, deflated, memory, target])

  private let pageBytes: Double
  private let slot: Slot
  /// Nil unless a virtio balloon is driven.
  private var vmstat: HostFile?
  private var debug: HostFile?
  private var numbers: [NumberFile] = []

  /// Finds out what the system runs in.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    let host = context.host
    let found = Virtualization(host)
    guard found.machine != Virtualization.none || found.container != Virtualization.none else {
      throw .absent("no virtual machine, no container")
    }
    pageBytes = Double(host.calls.pageBytes)
    slot = readings.slot(
      Self.info, [Label("hypervisor", found.machine), Label("container", found.container), Label("product", found.product)])
    guard found.machine != Virtualization.none else { return }
    let driven = (try? host.list("/sys/bus/virtio/drivers/virtio_balloon")) ?? []
    if driven.contains(where: { $0.hasPrefix("virtio") }) { vmstat = host.file("/proc/vmstat") }
    debug = Self.debugFiles.first(where: host.exists).map { host.file($0) }
    for (name, metric) in [("info/current_kb", Self.memory), ("target_kb", Self.target)]
    where host.exists("\(Self.xen)/\(name)") {
      // KiB.
      numbers.append(NumberFile(file: host.file("\(Self.xen)/\(name)"), slot: readings.slot(metric), divisor: 1.0 / 1024))
    }
  }

  /// Reads the balloon, if there is one.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    readings.set(slot, 1)
    for number in numbers { _ = number.sample(into: &readings) }
    if let vmstat {
      readings.attempt { (readings) throws(SensorError) in
        try vmstat.read { (text) throws(SensorError) in Balloon(vmstat: &text).map { set($0, &readings) } }
      }
    }
    if let debug {
      readings.attempt { (readings) throws(SensorError) in
        let pages = try debug.read { (text) throws(SensorError) in Balloon.pages(debug: &text) }
        readings.set(readings.slot(Self.balloon), pages.map { Double($0) * pageBytes })
      }
    }
  }

  private func set(_ balloon: Balloon, _ readings: inout Readings) {
    readings.set(readings.slot(Self.balloon), Double(balloon.pages) * pageBytes)
    readings.set(readings.slot(Self.inflated), Double(balloon.inflated) * pageBytes)
    readings.set(readings.slot(Self.deflated), Double(balloon.deflated) * pageBytes)
  }
}

/// What the kernel counts of a balloon, in pages.
struct Balloon: Equatable {
  /// Given back now.
  var pages: UInt64 = 0
  /// Since boot.
  var inflated: UInt64 = 0
  var deflated: UInt64 = 0

  /// From /proc/vmstat; nil where the kernel has no balloons. Kernels since 6.17 also tell what is given back now.
  init?(vmstat text: inout ByteScanner) {
    var current: UInt64?
    var isThere = false
    while !text.isAtEnd {
      if text.skip("balloon_inflate ") {
        inflated = text.unsigned() ?? 0
        isThere = true
      } else if text.skip("balloon_deflate ") {
        deflated = text.unsigned() ?? 0
      } else if text.skip("nr_balloon_pages ") {
        current = text.unsigned()
      }
      text.skipLine()
    }
    // More than any machine has is no count.
    guard isThere, max(inflated, deflated, current ?? 0) < 1 << 50 else { return nil }
    pages = current ?? inflated - min(deflated, inflated)
  }

  /// `current : 1024` of VMware, `pages_ballooned : 1024` of Hyper-V.
  static func pages(debug text: inout ByteScanner) -> UInt64? {
    while !text.isAtEnd {
      if text.skip("current") || text.skip("pages_ballooned") {
        text.skipBlanks()
        if text.skip(byte: UInt8(ascii: ":")) { return text.unsigned().flatMap { $0 < 1 << 50 ? $0 : nil } }
      }
      text.skipLine()
    }
    return nil
  }
}
