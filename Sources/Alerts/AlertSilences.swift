/// Rules whose changes are not announced for a while. Their states go on as ever.
public struct AlertSilences: Sendable {
  /// In place of a rule's name: all rules.
  public static let everyRule = "*"

  /// Until when, by rule; CLOCK_BOOTTIME milliseconds.
  public private(set) var ends: [String: Int64] = [:]

  /// Nothing is silenced.
  public init() {}

  /// Silences a rule, or all of them by `*`, until `end`; that replaces what was said of it before.
  ///
  /// - Returns: false when there are too many already.
  public mutating func silence(_ rule: String, until end: Int64) -> Bool {
    guard ends[rule] != nil || ends.count < AlertLimits.silences else { return false }
    ends[rule] = end
    return true
  }

  /// Takes a silence back; false when there was none.
  public mutating func lift(_ rule: String) -> Bool { ends.removeValue(forKey: rule) != nil }

  /// Until when a rule is silenced, by its own name or with all others; nil when it is not.
  public func end(of rule: String) -> Int64? { [ends[rule], ends[Self.everyRule]].compactMap { $0 }.max() }

  /// Takes out what is over.
  ///
  /// - Returns: what it was said of, `*` included.
  public mutating func expire(at now: Int64) -> [String] {
    guard !ends.isEmpty else { return [] }
    let over = ends.filter { $0.value <= now }.keys.sorted()
    for rule in over { ends[rule] = nil }
    return over
  }
}
