import Buffer

/// CRC-32 over the first n series of a node, for every n: for each its key in UTF-8, a zero byte and a byte with its decimals.
///
/// Series are only ever added while a buffer lives, so a message names how many it counts on and the CRC of those; a reader that knows
/// more can still tell that it knows the right ones.
struct SeriesChecks: Sendable {
  private var checks: [UInt32] = [0]

  /// How many series are known.
  var count: Int { checks.count - 1 }

  mutating func learn(key: String, decimals: Int) {
    let bytes = Array(key.utf8) + [0, UInt8(min(max(decimals, 0), 9))]
    checks.append(WireNumber.checksum(bytes, after: checks[count]))
  }

  /// The CRC of the first `count`; nil when fewer are known.
  func check(of count: Int) -> UInt32? { checks.indices.contains(count) ? checks[count] : nil }
}
