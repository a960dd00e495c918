import CLinux
import Glibc

/// Why a watchdog cannot be used.
public struct WatchdogFailure: Error, Hashable, Sendable {
  /// The call.
  public let call: String
  /// Its error.
  public let errno: Int32

  /// A call that failed.
  public init(call: String, errno: Int32) {
    self.call = call
    self.errno = errno
  }

  /// Whether another program holds the device: it can be open only once.
  public var isBusy: Bool { errno == EBUSY }
  /// Whether there is no such device.
  public var isAbsent: Bool { errno == ENOENT || errno == ENODEV || errno == ENXIO }
  /// Whether rights are missing.
  public var isBarred: Bool { errno == EACCES || errno == EPERM }
}

/// What a driver says of its watchdog, and why the device was last started.
public struct WatchdogFacts: Hashable, Sendable {
  /// Bits of `WDIOC_GETSUPPORT` and `WDIOC_GETBOOTSTATUS`; include/uapi/linux/watchdog.h.
  public struct Flags: OptionSet, Hashable, Sendable {
    /// WDIOF_ bits.
    public let rawValue: UInt32
    /// Takes WDIOF_ bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// WDIOF_OVERHEAT: reset because the processor was too hot.
    public static let overheat = Flags(rawValue: 0x0001)
    /// WDIOF_FANFAULT: a fan failed.
    public static let fanFault = Flags(rawValue: 0x0002)
    /// WDIOF_POWERUNDER: the power was bad.
    public static let powerUnder = Flags(rawValue: 0x0010)
    /// WDIOF_CARDRESET: the watchdog reset the device.
    public static let cardReset = Flags(rawValue: 0x0020)
    /// WDIOF_POWEROVER: the power was too high.
    public static let powerOver = Flags(rawValue: 0x0040)
    /// WDIOF_SETTIMEOUT: the timeout can be set.
    public static let setTimeout = Flags(rawValue: 0x0080)
    /// WDIOF_MAGICCLOSE: closing stops it only after a `V`.
    public static let magicClose = Flags(rawValue: 0x0100)
    /// WDIOF_KEEPALIVEPING: it takes WDIOC_KEEPALIVE.
    public static let keepAlivePing = Flags(rawValue: 0x8000)
  }

  /// The driver's name for it; empty when it says none.
  public var identity = ""
  /// What it can do.
  public var options: Flags = []
  /// Why the device was last started.
  public var bootStatus: Flags = []
  /// Whether it cannot be stopped once it runs; nil when the kernel does not say.
  public var cannotBeStopped: Bool?

  /// Nothing known.
  public init() {}
}

/// A watchdog that runs since it was opened. Replaced by a recorded one in tests.
public protocol WatchdogDevice: AnyObject {
  /// What its driver says.
  var facts: WatchdogFacts { get }
  /// Asks for a timeout.
  ///
  /// - Returns: the one that holds now, seconds; nil when the driver tells none.
  func setTimeout(seconds: Int) -> Int?
  /// Begins the timeout anew.
  func feed() throws(WatchdogFailure)
  /// Lets it go: stopped when the driver allows it, else the device is reset unless somebody opens and feeds it in time.
  func close()
}

/// A watchdog of the kernel's, by Documentation/watchdog/watchdog-api.rst.
///
/// A file or FIFO works as well, as a driver that knows the simplest form only: each feeding is a zero byte, the end a `V`.
public final class LinuxWatchdog: WatchdogDevice {
  /// What its driver says.
  public let facts: WatchdogFacts
  private var descriptor: Int32

  /// Opens it, which starts it.
  public init(host: Host, path: String) throws(WatchdogFailure) {
    descriptor = godwit_open_write(host.root + path)
    guard descriptor >= 0 else { throw WatchdogFailure(call: "open", errno: -descriptor) }
    var facts = WatchdogFacts()
    var options: UInt32 = 0
    // watchdog_info holds 32 bytes that need no end of their own.
    var identity = [CChar](repeating: 0, count: 33)
    if godwit_watchdog_support(descriptor, &options, &identity) == 0 {
      facts.options = WatchdogFacts.Flags(rawValue: options)
      facts.identity = String(decoding: identity.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    var status: Int32 = 0
    // A driver that knows no reason answers with none, or with minus one.
    if godwit_watchdog_boot_status(descriptor, &status) == 0, status > 0 {
      facts.bootStatus = WatchdogFacts.Flags(rawValue: UInt32(status))
    }
    facts.cannotBeStopped = host.line(WatchdogRange.folder(path) + "/nowayout").map { $0 == "1" }
    self.facts = facts
  }

  deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

  /// By WDIOC_SETTIMEOUT, which answers what the driver made of it, and WDIOC_GETTIMEOUT.
  public func setTimeout(seconds: Int) -> Int? {
    var answer = Int32(clamping: seconds)
    if godwit_watchdog_set_timeout(descriptor, &answer) == 0 { return Int(answer) }
    return godwit_watchdog_timeout(descriptor, &answer) == 0 ? Int(answer) : nil
  }

  /// By WDIOC_KEEPALIVE where the driver has it, else by a byte, which every driver takes.
  public func feed() throws(WatchdogFailure) {
    if facts.options.contains(.keepAlivePing) {
      let result = godwit_watchdog_keep_alive(descriptor)
      guard result == 0 else { throw WatchdogFailure(call: "WDIOC_KEEPALIVE", errno: -result) }
    } else {
      var byte: UInt8 = 0
      guard write(descriptor, &byte, 1) == 1 else { throw WatchdogFailure(call: "write", errno: errno) }
    }
  }

  /// With the magic character, which a driver that does not know it takes for a feeding.
  public func close() {
    guard descriptor >= 0 else { return }
    var magic = UInt8(ascii: "V")
    _ = write(descriptor, &magic, 1)
    _ = Glibc.close(descriptor)
    descriptor = -1
  }
}

/// The timeouts that a driver takes; Documentation/ABI/testing/sysfs-class-watchdog.
public struct WatchdogRange: Hashable, Sendable {
  /// The shortest, seconds; nil when the kernel does not say.
  public let shortest: Int?
  /// The longest, seconds; nil when the kernel does not say, or there is no bound.
  public let longest: Int?

  /// Reads it without touching the device: opening would start it.
  public init(host: Host, path: String) {
    func seconds(_ name: String) -> Int? {
      host.line("\(Self.folder(path))/\(name)").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
    shortest = seconds("min_timeout")
    longest = seconds("max_timeout")
  }

  /// `/dev/watchdog` is the first watchdog under its old name.
  static func folder(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    return "/sys/class/watchdog/\(name == "watchdog" ? "watchdog0" : name)"
  }
}
