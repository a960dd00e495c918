import Platform

/// A guard that runs: a process, or a test's own.
protocol OutputLink: AnyObject {
  /// Hands it a packet without waiting; false when there is no room.
  func send(_ packet: [UInt8]) -> Bool
  /// What it said; nil when nothing waits.
  func receive() -> [UInt8]?
  /// Whether it is gone.
  var hasEnded: Bool { get }
  /// Lets it end; the lines go to their safe state.
  func end()
}

extension PacketChild: OutputLink {}

/// Starts guards: processes, or a test's own.
protocol OutputGuards: AnyObject {
  func start() throws(SubprocessFailure) -> any OutputLink
}

/// Guards that are this program itself, under another name for what it does.
final class OutputGuardPrograms: OutputGuards {
  private let root: String

  init(host: Host) { root = host.root.isEmpty ? "/" : host.root }

  func start() throws(SubprocessFailure) -> any OutputLink {
    // Through the link: the file itself may have been replaced by an update.
    try PacketChild(path: "/proc/self/exe", arguments: ["--hold-outputs", "--root", root])
  }
}
