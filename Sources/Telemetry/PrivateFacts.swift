/// What becomes of facts that tell one device or its owner apart: serial numbers, addresses, names.
public enum PrivateFacts: String, CaseIterable, Sendable {
  /// They are left out.
  case omit
  /// A keyed digest stands for each: it shows that something is the same or another, not what it is.
  case hash
  /// They are told as they are.
  case keep
}
