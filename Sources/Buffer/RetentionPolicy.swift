/// What the buffer may keep.
public struct RetentionPolicy: Hashable, Sendable {
  /// The least that `maximumBytes` can be (1 MiB, as in the profile): room for about an hour of 130 series at 1 Hz. Fewer bytes are
  /// taken for this many. The names of series stand beside it: about 300 bytes each.
  public static let smallestBytes = 1 << 20

  /// 90 days: of minute rollups. For 130 series at 1 Hz, measured on a generated day: raw 7 days at 0.52 bytes a sample take 41 MB,
  /// minutes 90 days at 0.07 bytes a sample taken 71 MB, hours 2 years at 0.002 bytes 17 MB: 129 MB of the 230 that 256 MiB leave.
  public static let minuteMilliseconds = 90 * 86_400_000
  /// Two years: of hour rollups.
  public static let hourMilliseconds = 730 * 86_400_000

  /// Age in milliseconds beyond which ticks go.
  public var retainMilliseconds: Int
  /// The same for minute rollups.
  public var retainMinutesMilliseconds: Int
  /// The same for hour rollups.
  public var retainHoursMilliseconds: Int
  /// Bytes of the database and its log together.
  public var maximumBytes: Int

  /// Keeps each tier for its time and all within `maximumBytes`, whichever is less.
  public init(
    retainMilliseconds: Int, maximumBytes: Int, retainMinutesMilliseconds: Int = minuteMilliseconds,
    retainHoursMilliseconds: Int = hourMilliseconds
  ) {
    self.retainMilliseconds = retainMilliseconds
    self.retainMinutesMilliseconds = retainMinutesMilliseconds
    self.retainHoursMilliseconds = retainHoursMilliseconds
    self.maximumBytes = maximumBytes
  }

  private var bytes: Int { max(maximumBytes, Self.smallestBytes) }

  /// Bytes the write-ahead log may keep.
  var logBytes: Int { min(bytes / 8, BufferLimits.logBytes) }

  /// Bytes of pages in use. The log comes on top, and one transaction that began when it was nearly full, and free pages (a sixteenth).
  var usableBytes: Int { (bytes - 2 * logBytes) / 10 * 9 }

  /// What a tier may use when bytes are short; the tier furthest above its share gives way. Half for the ticks, that may still have to be
  /// delivered.
  func share(of tier: Tier) -> Int {
    switch tier {
    case .raw: usableBytes / 2
    case .minute: usableBytes / 8 * 3
    case .hour: usableBytes / 8
    }
  }

  /// Bytes that raw blocks merged into one may have, and how long they may reach: a block goes as a whole, a step of a sixteenth of what is
  /// kept.
  var largestMergedBytes: Int { share(of: .raw) / 16 }
  var longestMergedMilliseconds: Int { retainMilliseconds / 16 }

  /// Age in milliseconds beyond which a tier's blocks go.
  func retainMilliseconds(_ tier: Tier) -> Int {
    switch tier {
    case .raw: retainMilliseconds
    case .minute: retainMinutesMilliseconds
    case .hour: retainHoursMilliseconds
    }
  }

  /// Events that may be kept.
  var events: Int { min(BufferLimits.events, bytes / 4096) }
}

/// What was deleted to make room.
public struct Eviction: Hashable, Sendable {
  /// The first and last sequence number that went.
  public var range: ClosedRange<UInt64>
  /// How many ticks that were: fewer than the range is long where numbers were never used.
  public var ticks: UInt64
  /// How many of them each uplink had not delivered.
  public var undelivered: [String: UInt64]
}

/// Evicted ticks that were not delivered, until a `gap` event tells of them: an agent that dies between the eviction and the event
/// finds them at its next start. One row of `meta` an uplink: `gap:<sink>` = `first,last,count`.
enum UnreportedGap {
  static func add(_ eviction: Eviction, to database: Database) throws(BufferError) {
    for (sink, count) in eviction.undelivered {
      let find = try database.prepare("SELECT value FROM meta WHERE key = ?")
      find.bind(1, "gap:" + sink)
      var gap = Eviction(range: eviction.range, ticks: count, undelivered: [:])
      if try find.step(), let known = parse(find.text(0)) {
        let first = min(known.range.lowerBound, gap.range.lowerBound)
        gap.range = first...max(known.range.upperBound, gap.range.upperBound)
        gap.ticks &+= known.ticks
      }
      let put = try database.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)")
      put.bind(1, "gap:" + sink)
      put.bind(2, "\(gap.range.lowerBound),\(gap.range.upperBound),\(gap.ticks)")
      try put.run()
    }
  }

  static func read(_ database: Database) throws(BufferError) -> [Eviction] {
    let find = try database.prepare("SELECT key, value FROM meta WHERE key >= 'gap:' AND key < 'gap;' ORDER BY key")
    var gaps: [Eviction] = []
    while try find.step() {
      guard var gap = parse(find.text(1)) else { continue }
      gap.undelivered = [String(find.text(0).dropFirst(4)): gap.ticks]
      gaps.append(gap)
    }
    return gaps
  }

  static func clear(_ database: Database) throws(BufferError) {
    try database.execute("DELETE FROM meta WHERE key >= 'gap:' AND key < 'gap;'", operation: "commit to")
  }

  private static func parse(_ text: String) -> Eviction? {
    let numbers = text.split(separator: ",").compactMap { UInt64($0) }
    guard numbers.count == 3, numbers[0] <= numbers[1] else { return nil }
    return Eviction(range: numbers[0]...numbers[1], ticks: numbers[2], undelivered: [:])
  }
}
