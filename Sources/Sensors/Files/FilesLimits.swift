/// The bounds of the sensor `files`.
enum FilesLimits {
  /// Paths of a profile.
  static let paths = 32
  /// Directories watched for all of them; fs.inotify.max_user_watches is 8192 on the smallest machines.
  static let directories = 1_024
  /// How deep below a path directories are watched.
  static let depth = 8
  /// Reads of one sample, some 1,000 events each; what is left waits in the kernel.
  static let readsPerSample = 16
  /// Characters of a path that is told.
  static let toldCharacters = 512
  /// Samples between two tries to watch what could not be watched.
  static let samplesBetweenTries = 30
}
