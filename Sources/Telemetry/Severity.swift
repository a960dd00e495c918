/// How much an event or a firing rule matters.
public enum Severity: String, Sendable, CaseIterable, Comparable {
  case info
  case warning
  case critical

  /// From harmless to grave.
  public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .info: 0
    case .warning: 1
    case .critical: 2
    }
  }
}
