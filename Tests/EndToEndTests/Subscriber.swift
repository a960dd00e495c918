import Foundation

/// A client that keeps every message of its topics, in the order in which they came: `mosquitto_sub` as a child, which connects
/// again by itself after the broker was away. See `Broker` for what is promised when the broker dies.
///
/// With `session` it holds a persistent session, in which a running broker keeps messages while the subscriber is away. It
/// matters for `restart()`; over a broker's crash the session is only kept with the broker's persistence.
final class Subscriber {
  /// A message.
  struct Message: Equatable {
    var topic: String
    var payload: String
    var isRetained: Bool

    /// The payload of a subscriber of binary messages.
    var bytes: [UInt8] {
      let digits = Array(payload.utf8)
      return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
      }
    }
  }

  let folder: TemporaryFolder
  private let arguments: [String]
  private var child: ChildProcess

  /// Subscribes at QoS 1 and waits until the broker granted it.
  init(
    _ topics: [String], to broker: Broker, session: String? = nil, user: String? = nil, password: String? = nil,
    isBinary: Bool = false
  )
    throws
  {
    folder = try TemporaryFolder()
    // `-d` says when the broker granted the subscription; every message is one line that starts with a tab.
    var arguments = [
      "-h", "127.0.0.1", "-p", String(broker.port), "-q", "1", "-k", "5", "-d", "-F", "\\t%r\\t%t\\t\(isBinary ? "%x" : "%p")",
    ]
    if let session { arguments += ["-c", "-i", session] }
    if let user { arguments += ["-u", user] }
    if let password { arguments += ["-P", password] }
    for topic in topics { arguments += ["-t", topic] }
    self.arguments = arguments
    child = try Subscriber.start(arguments, in: folder)
    try waitForSubscription(number: 1)
  }

  deinit { child.kill() }

  /// How often the broker granted a subscription: once per connection.
  var subscriptions: Int { child.output.split(separator: "\n").count { $0.hasPrefix("Subscribed (mid") } }

  /// All that came so far. The last line counts only when it is whole.
  var messages: [Message] {
    var lines = child.output.split(separator: "\n", omittingEmptySubsequences: false)
    lines.removeLast()
    return lines.compactMap { line in
      let parts = line.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0].isEmpty else { return nil }
      return Message(topic: String(parts[2]), payload: String(parts[3]), isRetained: parts[1] == "1")
    }
  }

  /// Ends it, as a consumer that goes away, and starts it again.
  func restart() throws {
    let before = subscriptions
    child.terminate()
    child = try Subscriber.start(arguments, in: folder)
    try waitForSubscription(number: before + 1)
  }

  /// Ends it.
  func stop() { child.terminate() }

  /// Waits until it is connected again after the broker was away; `mosquitto_sub` tries once a second.
  func waitForSubscription(number: Int) throws {
    guard holdsEventually(timeout: 30, { subscriptions >= number || !child.isRunning }), child.isRunning else {
      throw ChildProcess.Failure(description: "no subscription \(number): \(child.output.suffix(500)) \(child.errors)")
    }
  }

  /// Waits until it has read its socket empty and written all of it down: its queues in the kernel hold nothing and it sleeps.
  func settle() {
    var quiet = 0
    _ = holdsEventually(timeout: 10) {
      quiet = isIdle ? quiet + 1 : 0
      return quiet >= 5
    }
  }

  /// Nothing to read in its sockets (`/proc/PID/net/tcp`, receive queue of the inodes it holds) and asleep.
  private var isIdle: Bool {
    let files = FileManager.default
    let folder = "/proc/\(child.pid)"
    guard let descriptors = try? files.contentsOfDirectory(atPath: folder + "/fd"),
      let status = try? String(contentsOfFile: folder + "/stat", encoding: .utf8),
      let table = try? String(contentsOfFile: folder + "/net/tcp", encoding: .utf8)
    else { return true }
    let sockets = Set(
      descriptors.compactMap { name -> String? in
        guard let link = try? files.destinationOfSymbolicLink(atPath: folder + "/fd/" + name), link.hasPrefix("socket:[") else {
          return nil
        }
        return String(link.dropFirst(8).dropLast())
      })
    let waiting = table.split(separator: "\n").contains { line in
      let words = line.split(separator: " ")
      return words.count > 9 && sockets.contains(String(words[9])) && !words[4].hasSuffix(":00000000")
    }
    return !waiting && status.contains(") S ")
  }

  private static func start(_ arguments: [String], in folder: TemporaryFolder) throws -> ChildProcess {
    // A line at a time; stdbuf becomes mosquitto_sub, the process id stays.
    try ChildProcess("stdbuf", ["-oL", "mosquitto_sub"] + arguments, name: "subscriber", in: folder)
  }
}
