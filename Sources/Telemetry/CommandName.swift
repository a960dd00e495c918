/// What a node can be told to do from outside, when its profile allows it.
public enum CommandName: String, Sendable, CaseIterable, Hashable {
  /// Commit what waits for the disk, and try what is owed again.
  case flush
  /// Sample all sensors now, whatever their pace.
  case sample
  /// Read the profile again.
  case reload
  /// Do not announce a rule's changes for a while.
  case silence
  /// Deliver stored ticks once more.
  case resend
  /// Upload stored ticks in chunks.
  case exportBundle = "export-bundle"
  /// Switch an output line.
  case setOutput = "set-output"
}
