import Glibc

/// Waits for a few descriptors, on a thread that serves them: poll(2).
public struct Poll {
  /// What happened at a descriptor.
  public struct Ready: OptionSet, Sendable {
    /// The poll bits.
    public let rawValue: Int16
    /// Takes poll bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }
    /// Something can be read, or the other side hung up.
    public static let readable = Ready(rawValue: Int16(POLLIN | POLLHUP | POLLERR))
    /// Something can be written.
    public static let writable = Ready(rawValue: Int16(POLLOUT))
  }

  /// Waits at most `milliseconds` (negative: for ever) until one of the descriptors is ready. Negative descriptors are ignored.
  ///
  /// - Returns: what is ready at each, in order; nothing at any after the time or a signal.
  public static func wait(
    _ descriptors: [(descriptor: Int32, interest: Ready)], milliseconds: Int
  ) -> [Ready] {
    var entries = descriptors.map { pollfd(fd: $0.descriptor, events: $0.interest.rawValue, revents: 0) }
    let count = poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds))
    guard count > 0 else { return entries.map { _ in [] } }
    return entries.map { Ready(rawValue: $0.revents) }
  }
}
