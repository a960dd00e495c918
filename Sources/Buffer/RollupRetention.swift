extension BufferWriter {
  /// Deletes rollup blocks that are too old, and those before them. Nobody waits for them to be delivered.
  ///
  /// - Returns: whether any went.
  func expireRollups(
    _ policy: RetentionPolicy, _ epochs: [Epoch], now: Int64?, boot: String, bootNow: Int64
  ) throws(BufferError) -> Bool {
    let epochs = Dictionary(epochs.map { ($0.id, $0) }) { $1 }
    var expired = false
    for tier in [Tier.minute, .hour] {
      let retain = Int64(clamping: policy.retainMilliseconds(tier))
      var old: BlockRecord?
      try database.eachBlock(tier, limit: BufferLimits.rollupBlocksPerStep) { block in
        guard let epoch = epochs[block.untilEpoch], block.isInOrder else { return true }
        let isOld: Bool
        if epoch.boot == boot {
          isOld = block.untilMilliseconds < bootNow &- retain
        } else if epoch.synced, let now {
          isOld = block.untilMilliseconds &+ epoch.offsetMilliseconds < now &- retain
        } else {
          return true
        }
        if isOld { old = block }
        return isOld
      }
      guard let old else { continue }
      try database.execute("DELETE FROM \(tier.table) WHERE first <= \(old.first)", operation: "make room in")
      expired = true
    }
    return expired
  }

  /// The tier that is furthest above its share of the bytes.
  func heaviest(_ policy: RetentionPolicy) throws(BufferError) -> Tier {
    // The sums read all leaves of their tables; mostly without need where nothing was rolled up yet.
    guard try database.integer("SELECT EXISTS(SELECT 1 FROM minute) OR EXISTS(SELECT 1 FROM hour)") == 1 else { return .raw }
    var heaviest = (tier: Tier.raw, surplus: Int.min)
    for tier in Tier.allCases {
      var bytes = Int(try database.integer("SELECT sum(length(data)) FROM \(tier.table)") ?? 0)
      if tier == .raw { bytes += Int(try database.integer("SELECT sum(length([values]) + 16) FROM tick") ?? 0) }
      let surplus = bytes - policy.share(of: tier)
      if bytes > 0, surplus > heaviest.surplus { heaviest = (tier, surplus) }
    }
    return heaviest.tier
  }

  /// Deletes the oldest blocks of a tier, about so many bytes of them.
  func dropRollups(_ tier: Tier, bytes wanted: Int) throws(BufferError) {
    let blocks = try database.prepare("SELECT first, length(data) FROM \(tier.table) ORDER BY first")
    var bytes = 0
    var last: UInt64 = 0
    while bytes < min(wanted, BufferLimits.evictedBytesPerStep), try blocks.step() {
      last = blocks.sequence(0)
      bytes += Int(blocks.integer(1))
    }
    blocks.reset()
    try database.execute("DELETE FROM \(tier.table) WHERE first <= \(last)", operation: "make room in")
  }
}
