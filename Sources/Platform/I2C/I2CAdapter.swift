import Telemetry

/// A bus that the kernel has: the master of the wires, or one branch of a multiplexer.
public struct I2CAdapter: Hashable, Sendable {
  /// The N of i2c-N. It may change from boot to boot where adapters are plugged in.
  public var number: Int
  /// What its driver calls it, such as `bcm2835 (i2c@7e804000)`; empty when it says nothing.
  public var name: String
  /// Whether programs can open it: /dev/i2c-N exists once the module i2c-dev is loaded.
  public var isReachable: Bool

  /// States an adapter.
  public init(number: Int, name: String, isReachable: Bool) {
    self.number = number
    self.name = name
    self.isReachable = isReachable
  }
}

extension Host {
  /// The buses, by number (Documentation/i2c/i2c-sysfs.rst); at most `PlatformLimits.i2cBuses`. Nothing is opened or sent.
  public func i2cAdapters() -> [I2CAdapter] {
    let folder = "/sys/bus/i2c/devices"
    let numbers = ((try? list(folder)) ?? []).compactMap { $0.hasPrefix("i2c-") ? Int($0.dropFirst(4)) : nil }
    return numbers.prefix(PlatformLimits.i2cBuses).map { number in
      I2CAdapter(
        number: number, name: line("\(folder)/i2c-\(number)/name") ?? "", isReachable: exists(i2cNode(number)))
    }
  }

  /// What stands for a bus among the files: the device node, or at a recorded root the recording.
  func i2cNode(_ number: Int) -> String {
    root.isEmpty ? "/dev/i2c-\(number)" : "/.host/i2c/\(number)"
  }
}
