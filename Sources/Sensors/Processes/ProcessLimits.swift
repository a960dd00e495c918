/// The bounds of what is read of processes.
enum ProcessLimits {
  /// Processes looked at in one scan.
  static let scanned = 10_000
  /// So many processes are looked at in each scan; of more, those that sleep only in every so many scans.
  static let lookedAtInEachScan = 256
  static let scansBetweenLooks: UInt64 = 4
  /// Groups that one profile may watch.
  static let groups = 64
  /// Samples for which a name has values after it fell out of the top.
  static let samplesBehindTop = 30
  /// Processes of one group whose own files are read.
  static let groupMembers = 512
  /// Threads of one group whose context switches are counted.
  static let groupThreads = 2_048
  /// Directories looked at to find a unit's control group, and those below it.
  static let cgroups = 4_096
  /// How deep control groups lie in one another.
  static let cgroupDepth = 12
  /// Rounds in which the descendants of a process are found.
  static let generations = 16
  /// Samples between two searches for a unit's control group that is not where it is looked for first.
  static let samplesBetweenSearches = 6
  /// Bytes of a pid file; behind the number some write more, as PostgreSQL does.
  static let pidFileBytes = 4_096
  /// How far apart a process' start and the time of its pid file may lie, milliseconds.
  static let pidFileSlackMilliseconds: Int64 = 2_000
  /// The same of a process that is seen for the first time: no number comes round so soon, but the clock of a device
  /// without a battery is behind by the time that its restart took. Milliseconds.
  static let pidFileToleranceMilliseconds: Int64 = 300_000
  /// Less is no use worth a name: percent of a core, and bytes per second. Else the names of a quiet machine would soon use up `names`.
  static let leastCPUPercent = 0.5
  static let leastBytesPerSecond = 1_024.0
}
