import Platform
import Telemetry

/// The errors that an ext4 file system has in its superblock: they stay there over mounts until e2fsck clears them. After an error the
/// file system may be useless although `/proc/mounts` still says `rw`.
struct FileSystemErrors {
  private let count, first, last: HostFile
  private let countSlot: Slot
  private let labels: [Label]

  static let metrics = [errors, firstTime, lastTime]
  private static let errors = metric(
    "filesystem_errors", .none, kind: .counter,
    help: "Errors of an ext4 file system since it was last checked, as its superblock counts them.")
  private static let firstTime = metric(
    "first_error_timestamp_seconds", .seconds, help: "When an ext4 file system had the first of these errors, Unix time.")
  private static let lastTime = metric(
    "last_error_timestamp_seconds", .seconds, help: "When it had the last of them, Unix time.")

  private static func metric(_ name: String, _ unit: Unit, kind: MetricKind = .gauge, help: String) -> Metric {
    Metric("mounts.\(name)", unit: unit, kind: kind, labels: ["mount"], help: help)
  }

  /// The errors of a mount; nil when its file system keeps none (`/sys/fs/ext4/<disk>`, Documentation/ABI/testing/sysfs-fs-ext4).
  init?(_ mount: Mount, host: Host, readings: inout Readings) {
    guard mount.type == "ext4" || mount.type == "ext3" || mount.type == "ext2",
      let disk = host.link("/sys/dev/block/\(mount.device)")?.split(separator: "/").last,
      host.exists("/sys/fs/ext4/\(disk)/errors_count")
    else { return nil }
    let directory = "/sys/fs/ext4/\(disk)"
    count = host.file("\(directory)/errors_count")
    first = host.file("\(directory)/first_error_time")
    last = host.file("\(directory)/last_error_time")
    labels = [Label("mount", mount.path)]
    countSlot = readings.slot(Self.errors, labels)
  }

  /// Reads them; the superblock in memory is asked, not the disk.
  func sample(into readings: inout Readings) {
    readings.attempt { (readings) throws(SensorError) in
      guard let errors = try count.integer(), errors >= 0 else {
        throw .malformed(path: count.path, what: "not a whole number from 0")
      }
      readings.set(countSlot, Double(errors))
      guard errors > 0 else { return }
      // 0 stands for no time.
      for (file, metric) in [(first, Self.firstTime), (last, Self.lastTime)] {
        if let time = try file.integer(), time > 0, time < 1 << 40 { readings.set(readings.slot(metric, labels), Double(time)) }
      }
    }
  }
}
