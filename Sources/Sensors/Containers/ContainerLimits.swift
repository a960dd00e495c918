/// The bounds of what is read of containers.
enum ContainerLimits {
  /// Control groups looked at in one sample, and how deep they lie.
  static let cgroups = 4_096
  static let depth = 10
  /// Containers taken from the control groups of one sample.
  static let found = 512
  /// Engines asked.
  static let sockets = 8
  /// Sensors' samples between two looks for sockets while nothing changes.
  static let samplesBetweenSockets = 10
  /// Containers taken from one engine's list.
  static let listed = 1_000
  /// Bytes of what an engine says of one container.
  static let elementBytes = 256 * 1024
  /// Values of it, and levels.
  static let values = 20_000
  static let depthOfJSON = 24
  /// How long all engines may take in one sample, milliseconds: less than the lane's deadline.
  static let sampleMilliseconds: Int64 = 2_500
  /// How long an engine may take for the details of one container.
  static let detailsMilliseconds = 500
  /// Details of a container that seems unchanged are asked for again after this.
  static let detailsNanoseconds: Int64 = 600_000_000_000
  /// An engine that may have to be started by each question is asked this many times more rarely while nothing changes.
  static let rarely: Int64 = 10
  /// What an engine said is told until it is this many times older than it should be.
  static let staleAfter: Int64 = 3
  /// Images told of one name while the agent runs.
  static let images = 8
  /// The largest container id or name that is taken from a control group, bytes.
  static let nameBytes = 128
  /// Bytes of one file of a control group.
  static let fileBytes = 64 * 1024
}
