/// The bounds of the dns sensor.
enum DNSLimits {
  /// Resolvers asked in one sample.
  static let resolvers = 8
  /// Resolvers told of while the sensor runs; those of further networks share the label `other`.
  static let knownResolvers = 24
  /// How long all resolvers may take for one sample, milliseconds; with what comes after them less than the lane's deadline.
  static let sampleMilliseconds: Int64 = 3_000
  /// Milliseconds of a sample after which D-Bus is not asked any more, which may take two seconds.
  static let busMilliseconds: Int64 = 2_500
  /// Samples after which a resolver that told no cache statistics is asked for them again.
  static let samplesBetweenCacheLooks = 60
  /// Name servers that a dnsmasq forwards to, told of one resolver.
  static let forwarders = 8
  /// Those told of while the sensor runs: a server may name others each time.
  static let knownForwarders = 48
  /// Bytes of what unbound tells.
  static let unboundBytes = 256 * 1024
  /// How long unbound may take to tell it.
  static let unboundMilliseconds = 500
}
