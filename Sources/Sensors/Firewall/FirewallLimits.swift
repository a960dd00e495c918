/// The bounds of the firewall sensor.
enum FirewallLimits {
  /// Tables told of; more are counted only.
  static let tables = 64
  /// Series of base chains, of named counters, and of rules with a comment: so many of each.
  static let counts = 64
  /// Tables, chains, counters and comments told of while the sensor runs.
  static let told = 400
  /// Rules read; a machine with more is not watched.
  static let rules = 50_000
  /// Sets whose elements are read when the rules changed.
  static let sets = 4_096
  /// How long reading all rules may take, milliseconds: less than the lane's deadline.
  static let readMilliseconds: Int64 = 3_000
  /// Of so many rules the counters are read in every sample; of twice as many in every second one, and so on.
  static let rulesEachSample = 500
  /// How long one program may take, milliseconds.
  static let programMilliseconds = 1_000
}
