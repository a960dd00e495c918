public import Telemetry

/// What can be asked on D-Bus: an interface of an object of a service.
public struct DBusObject: Hashable, Sendable {
  /// The service's name on the bus: `org.freedesktop.systemd1`.
  public let service: String
  /// The object's path: `/org/freedesktop/systemd1`.
  public let path: String
  /// The interface: `org.freedesktop.systemd1.Manager`.
  public let interface: String

  /// Names an interface of an object.
  public init(_ service: String, _ path: String, _ interface: String) {
    (self.service, self.path, self.interface) = (service, path, interface)
  }

  /// Another interface of the same object.
  public func with(interface: String) -> DBusObject { DBusObject(service, path, interface) }
}

/// A message bus, or one service that is spoken to without one. Starts no service, and changes nothing unless the method does.
public protocol DBus: AnyObject {
  /// Calls a method whose arguments are texts and gives the first value of its answer; nil when it has none. Blocks, for at most two
  /// seconds. May be called a second time when the bus closed the connection: for methods that only tell.
  ///
  /// - Throws: `absent` when there is no bus, no such service, object, interface or property; `device` for what else the service refuses;
  ///   `timedOut`, `malformed`, `io`.
  func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue?
}

extension DBus {
  /// All properties of an interface: a dictionary.
  public func properties(of object: DBusObject) throws(SensorError) -> DBusValue {
    let answer = try call(object.with(interface: "org.freedesktop.DBus.Properties"), "GetAll", [object.interface])
    guard let answer else { throw .malformed(path: object.interface, what: "an answer without a value") }
    return answer
  }

  /// One property of an interface.
  public func property(_ name: String, of object: DBusObject) throws(SensorError) -> DBusValue {
    let answer = try call(object.with(interface: "org.freedesktop.DBus.Properties"), "Get", [object.interface, name])
    guard let answer else { throw .malformed(path: "\(object.interface).\(name)", what: "an answer without a value") }
    return answer
  }
}

/// A bus with a time for all the calls of one sample: a service that answers each of many late would cost the sample its deadline.
public final class TimedDBus: DBus {
  private let bus: any DBus
  private var end = Int64.max

  /// Without a limit until `begin`.
  public init(_ bus: any DBus) { self.bus = bus }

  /// From now on calls may be begun for two seconds; the last of them may take its own two beyond.
  public func begin() { end = LocalSocket.now() + PlatformLimits.dbusSampleMilliseconds * 1_000_000 }

  /// Calls as the bus does.
  ///
  /// - Throws: `timedOut` when the time is over, too.
  public func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? {
    guard LocalSocket.now() < end else { throw .timedOut }
    return try bus.call(object, member, arguments)
  }
}

extension Host {
  /// The bus of the system's services. Nothing is opened before the first call; after a failure the next call connects anew.
  public var systemBus: any DBus { calls.dbus(at: root + "/run/dbus/system_bus_socket", isBus: true) }

  /// Where systemd is asked: the system's bus, and where there is none systemd's own socket, which is for root alone.
  public var systemdBus: any DBus {
    let own = "/run/systemd/private"
    return !exists("/run/dbus/system_bus_socket") && exists(own) ? calls.dbus(at: root + own, isBus: false) : systemBus
  }
}

extension SensorError {
  /// What an error that a service answers with means: D-Bus Specification, "Standard errors" in dbus-protocol.h, and systemd's own.
  static func dbus(_ service: String, error name: String, _ text: String?) -> SensorError {
    let absent = ["UnknownObject", "UnknownInterface", "UnknownMethod", "UnknownProperty"]
    let last = name.split(separator: ".").last.map { String($0) } ?? ""
    // No such service at all: what it was asked is of no interest.
    if last == "ServiceUnknown" || last == "NameHasNoOwner" { return .absent("\(service) on D-Bus") }
    if absent.contains(last) || last == "NoSuchUnit" { return .absent("\(service): \(last)") }
    if last == "NoReply" || last == "Timeout" || last == "TimedOut" { return .timedOut }
    let said = (text ?? "").isEmpty ? name : text ?? name
    return .device(service, what: said.withoutControls(characters: PlatformLimits.dbusErrorCharacters))
  }
}

extension String {
  /// What another program says, fit to be shown: control characters become blanks, and what is too long is cut.
  func withoutControls(characters: Int) -> String {
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars.prefix(characters) {
      // The second range holds the controls of ISO 6429.
      text.append(scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) ? " " : scalar)
    }
    return String(text)
  }
}
