import Telemetry

/// The kernel driver that has an I2C address, and where it publishes what it reads.
public struct I2COwner: Hashable, Sendable, CustomStringConvertible {
  /// The driver, such as `lm75`.
  public var driver: String
  /// Its hwmon and IIO nodes, as paths below /sys/class/hwmon and /sys/bus/iio/devices; empty when it has none.
  public var nodes: [String]

  /// States an owner.
  public init(driver: String, nodes: [String]) {
    self.driver = driver
    self.nodes = nodes
  }

  /// One line for people: who has it, and where its values are.
  public var description: String {
    nodes.isEmpty ? "kernel driver \(driver)" : "kernel driver \(driver): \(nodes.joined(separator: ", "))"
  }
}

extension Host {
  /// The kernel driver that has `address` on `bus`; nil when none has. A device without a driver does not occupy its address.
  public func i2cOwner(bus: Int, address: UInt8) -> I2COwner? {
    let digits = String(address, radix: 16)
    let device = "/sys/bus/i2c/devices/\(bus)-00\(digits.utf8.count < 2 ? "0" : "")\(digits)"
    guard let driver = link(device + "/driver")?.split(separator: "/").last else { return nil }
    var nodes = ((try? list(device + "/hwmon")) ?? []).filter { $0.hasPrefix("hwmon") }.map { "/sys/class/hwmon/\($0)" }
    nodes += ((try? list(device)) ?? []).filter { $0.hasPrefix("iio:device") }.map { "/sys/bus/iio/devices/\($0)" }
    return I2COwner(driver: String(driver), nodes: nodes)
  }
}
