import Foundation

/// A real mosquitto on a loopback port of its own. It can be stopped, killed and started again on the same port.
///
/// What may be expected of it. A QoS 1 message that the broker acknowledged (PUBACK) lies in its memory and in the socket buffers
/// of the connected subscribers. SIGKILL throws the memory away, and mosquitto writes its persistence file only now and then, so an
/// acknowledged message can die with the broker before a subscriber had it, and no client can know. So `crash()` keeps
/// the loss out of the test instead of the crash: it freezes the broker (SIGSTOP: nothing is acknowledged any more), waits until
/// what is already on its way has been read by the subscribers (mosquitto hands a message to connected subscribers in the same
/// turn of its loop in which it queues the acknowledgement), then kills it. Publishers see a connection that dies without
/// a word and with messages unacknowledged. `kill()` is the bare SIGKILL.
final class Broker {
  /// What it is started with.
  struct Options {
    /// Users and their passwords; none: anyone may connect.
    var passwords: [String: String] = [:]
    /// Whether sessions and queued messages survive a restart: saved at each change.
    var persistence = false
    /// More lines of mosquitto.conf.
    var extraLines: [String] = []
  }

  let port: UInt16
  let folder: TemporaryFolder
  private let options: Options
  private var child: ChildProcess?

  /// Starts it and waits until it listens.
  init(_ options: Options = Options()) throws {
    self.options = options
    folder = try TemporaryFolder()
    port = try freeLoopbackPort()
    try writeConfiguration()
    try start()
  }

  deinit { child?.kill() }

  var isRunning: Bool { child?.isRunning ?? false }
  /// As a profile names it.
  var url: String { "mqtt://127.0.0.1:\(port)" }
  /// Its log over all starts.
  var log: String { folder.read("mosquitto.err") }

  /// Starts it, again on the same port.
  func start() throws {
    guard !isRunning else { return }
    let starts = startsLogged
    let broker = try ChildProcess("mosquitto", ["-c", folder.path(of: "mosquitto.conf")], name: "mosquitto", in: folder)
    child = broker
    let listens = holdsEventually(timeout: 20) { startsLogged > starts || !broker.isRunning }
    guard listens, broker.isRunning else { throw ChildProcess.Failure(description: "mosquitto did not start: \(log)") }
  }

  /// SIGTERM: clients are disconnected in order.
  func stop() { child?.terminate() }

  /// SIGKILL, at once: what it had acknowledged and not yet delivered is lost with it.
  func kill() { child?.kill() }

  /// SIGKILL after the given subscribers have read all that was acknowledged; see above.
  func crash(after subscribers: [Subscriber]) {
    freeze()
    for subscriber in subscribers { subscriber.settle() }
    kill()
  }

  /// SIGSTOP: connections stay open and nothing is answered, like a broker that accepts and then is silent.
  func freeze() { child?.signal(SIGSTOP) }

  /// SIGCONT.
  func thaw() { child?.signal(SIGCONT) }

  /// Gives a user another password, as an administrator does: the file, then SIGHUP. Those who came with the old one are put out.
  func change(password: String, of user: String) throws {
    let answer = try ChildProcess.run("mosquitto_passwd", ["-b", folder.path(of: "passwords"), user, password], in: folder)
    guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "mosquitto_passwd: \(answer.errors)") }
    child?.signal(SIGHUP)
  }

  private var startsLogged: Int { log.split(separator: "\n").count { $0.hasSuffix(" running") } }

  private func writeConfiguration() throws {
    // No limit of messages in flight: beyond one, acknowledged messages would wait in the broker's memory; see `crash`.
    var lines = [
      "listener \(port) 127.0.0.1", "log_dest stderr", "user \(NSUserName())",
      "max_queued_messages 0", "max_inflight_messages 0",
    ]
    if options.passwords.isEmpty {
      lines.append("allow_anonymous true")
    } else {
      let file = try folder.write("passwords", "")
      for (user, password) in options.passwords {
        let answer = try ChildProcess.run("mosquitto_passwd", ["-b", file, user, password], in: folder)
        guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "mosquitto_passwd: \(answer.errors)") }
      }
      lines += ["allow_anonymous false", "password_file \(file)"]
    }
    if options.persistence {
      lines += ["persistence true", "persistence_location \(folder.path)/", "autosave_on_changes true", "autosave_interval 1"]
    } else {
      lines.append("persistence false")
    }
    try folder.write("mosquitto.conf", (lines + options.extraLines).joined(separator: "\n") + "\n")
  }
}
