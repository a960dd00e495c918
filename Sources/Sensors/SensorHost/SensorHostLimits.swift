/// The bounds of device libraries in processes of their own.
enum SensorHostLimits {
  /// Bytes of one answer: 2,000 values with their labels.
  static let answerBytes = 512 * 1024
  /// Wait before a process that hung or crashed is started again, seconds: first and longest.
  static let restartSeconds: ClosedRange<Int64> = 1...300
  /// Seconds before a library that said it has no device is loaded again.
  static let absentSeconds: Int64 = 300
  /// Files of running networks that are read in a sample, and bytes of one: a network takes some hundred.
  static let monitorFiles = 64
  static let monitorBytes = 256 * 1024
  /// Milliseconds after which such a file is of a program that crashed; it is written anew each second.
  static let monitorMilliseconds: Int64 = 1_500
  /// Devices, networks and streams of one file that are read.
  static let monitorEntries = 256
  /// Names that programs choose (networks, processes) which become series over a sensor's life; all further count as `other`.
  static let chosenNames = 64
}
