import Glibc
import Telemetry

extension LinuxCalls {
  /// By a Unix socket.
  public func dbus(at path: String, isBus: Bool) -> any DBus { LinuxDBus(path: path, isBus: isBus) }
}

/// A connection to a bus, or to a service itself; made at the first call and kept.
final class LinuxDBus: DBus {
  private let path: String
  private let isBus: Bool
  private var descriptor: Int32 = -1
  private var serial: UInt32 = 0

  /// - Parameter isBus: whether others than the one who listens are spoken to: then it wants Hello first, and names in calls.
  init(path: String, isBus: Bool) {
    self.path = path
    self.isBus = isBus
  }

  deinit { disconnect() }

  private func disconnect() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? {
    let deadline = LocalSocket.now() + PlatformLimits.dbusMilliseconds * 1_000_000
    let wasConnected = descriptor >= 0
    var answer: DBusMessage
    do throws(SensorError) {
      if !wasConnected { try connect(until: deadline) }
      answer = try exchange(object, member, arguments, until: deadline)
    } catch {
      // Where the stream stands is not known any more.
      disconnect()
      // A bus that was started anew since the last call closed the connection.
      guard wasConnected, case .io = error else { throw error }
      do throws(SensorError) {
        try connect(until: deadline)
        answer = try exchange(object, member, arguments, until: deadline)
      } catch {
        disconnect()
        throw error
      }
    }
    if answer.isError { throw .dbus(object.service, error: answer.errorName ?? "", answer.value?.text) }
    return answer.value
  }

  /// D-Bus Specification, "Authentication Protocol": EXTERNAL, for the kernel tells the other side who we are.
  private func connect(until deadline: Int64) throws(SensorError) {
    descriptor = try LocalSocket.connected(to: path)
    var greeting: [UInt8] = [0]
    // The user's number in decimal digits, each as two hexadecimal ones.
    greeting += Array("AUTH EXTERNAL ".utf8)
    for digit in String(geteuid()).utf8 { greeting += [UInt8(ascii: "3"), digit] }
    // With BEGIN right away, as systemd's own client does. Its server looks at what came together with a BEGIN only when more comes, so the
    // first call must not overtake the answer.
    try send(greeting + Array("\r\nBEGIN\r\n".utf8), until: deadline)
    var line: [UInt8] = []
    // The other side writes no more before it is called, so nothing behind the line is taken.
    while line.last != 0x0A {
      line += try receive(1, until: deadline)
      guard line.count < PlatformLimits.dbusLineBytes else { throw malformed("a greeting without end") }
    }
    guard line.starts(with: "OK ".utf8) else {
      throw .device(path, what: "permission denied: it does not accept this user")
    }
    guard isBus else { return }
    let bus = DBusObject("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    let hello = try exchange(bus, "Hello", [], until: deadline)
    if hello.isError { throw .dbus(bus.service, error: hello.errorName ?? "", hello.value?.text) }
  }

  /// Sends a call and waits for its answer; what else comes is passed over.
  private func exchange(
    _ object: DBusObject, _ member: String, _ arguments: [String], until deadline: Int64
  ) throws(SensorError) -> DBusMessage {
    // 0 is no serial.
    serial = serial == .max ? 1 : serial + 1
    try send(DBusMessage.call(object, member, arguments, serial: serial, isBus: isBus), until: deadline)
    for _ in 0..<PlatformLimits.dbusStrayMessages {
      let head = try receive(DBusMessage.fixedBytes, until: deadline)
      guard let length = DBusMessage.length(head) else { throw malformed("no message of D-Bus, or one that is too large") }
      let rest = try receive(length - head.count, until: deadline)
      guard let message = DBusMessage(head + rest) else { throw malformed("a message that is not as its signature") }
      if message.isAnswer, message.replySerial == serial { return message }
    }
    throw malformed("many messages and no answer")
  }

  private func malformed(_ what: String) -> SensorError { .malformed(path: path, what: what) }

  private func send(_ bytes: [UInt8], until deadline: Int64) throws(SensorError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        try LocalSocket.wait(descriptor, .writable, until: deadline)
      } else if errno != EINTR {
        throw .io(path: path, errno: errno)
      }
    }
  }

  /// Takes exactly so many bytes.
  private func receive(_ count: Int, until deadline: Int64) throws(SensorError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var taken = 0
    while taken < count {
      let got = bytes[taken...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if got > 0 {
        taken += got
        guard LocalSocket.now() < deadline else { throw .timedOut }
      } else if got == 0 {
        throw .io(path: path, errno: ECONNRESET)
      } else if errno == EAGAIN {
        try LocalSocket.wait(descriptor, .readable, until: deadline)
      } else if errno != EINTR {
        throw .io(path: path, errno: errno)
      }
    }
    return bytes
  }
}
