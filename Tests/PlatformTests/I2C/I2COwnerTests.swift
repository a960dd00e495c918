import Foundation
import Testing

@testable import Platform

/// What sysfs says of buses and of the drivers that have their chips (Documentation/i2c/i2c-sysfs.rst).
@Suite struct I2COwnerTests {
  static let files = [
    "sys/bus/i2c/devices/i2c-1/name": "bcm2835 (i2c@7e804000)\n",
    "sys/bus/i2c/devices/i2c-10/name": "i2c-10-mux (chan_id 0)\n",
    "sys/bus/i2c/devices/i2c-2/name": "fef04500.i2c\n",
    "sys/bus/i2c/devices/1-0048/name": "lm75\n",
    "sys/bus/i2c/devices/1-0048/hwmon/hwmon3/temp1_input": "25500\n",
    "sys/bus/i2c/devices/1-0076/name": "bme280\n",
    "sys/bus/i2c/devices/1-0076/iio:device0/name": "bme280\n",
    "sys/bus/i2c/devices/1-0050/name": "24c32\n",
    "sys/bus/i2c/devices/1-0008/name": "none\n",
    ".host/i2c/1": "at 48\nregisters 00 = 19\nat 51\nregisters 00 = 01\n",
  ]
  static let links = [
    "sys/bus/i2c/devices/1-0048/driver": "../../../../bus/i2c/drivers/lm75",
    "sys/bus/i2c/devices/1-0076/driver": "../../../../bus/i2c/drivers/bmp280",
    "sys/bus/i2c/devices/1-0050/driver": "../../../../bus/i2c/drivers/at24",
  ]

  @Test func driversAndTheirNodes() throws {
    let folder = try RecordedTree.make(Self.files, links: Self.links)
    defer { try? FileManager.default.removeItem(at: folder) }
    let host = Host(root: folder.path)
    let hwmon = I2COwner(driver: "lm75", nodes: ["/sys/class/hwmon/hwmon3"])
    #expect(host.i2cOwner(bus: 1, address: 0x48) == hwmon)
    #expect(hwmon.description == "kernel driver lm75: /sys/class/hwmon/hwmon3")
    #expect(
      host.i2cOwner(bus: 1, address: 0x76) == I2COwner(driver: "bmp280", nodes: ["/sys/bus/iio/devices/iio:device0"]))
    #expect(host.i2cOwner(bus: 1, address: 0x50) == I2COwner(driver: "at24", nodes: []))
    // A device that no driver has taken, one that is not there, and another bus.
    #expect(host.i2cOwner(bus: 1, address: 0x08) == nil)
    #expect(host.i2cOwner(bus: 1, address: 0x49) == nil)
    #expect(host.i2cOwner(bus: 10, address: 0x48) == nil)
  }

  @Test func anOwnedAddressIsNotTouched() throws {
    let folder = try RecordedTree.make(Self.files, links: Self.links)
    defer { try? FileManager.default.removeItem(at: folder) }
    let bus = try Host(root: folder.path).i2cBus(1)
    #expect(throws: I2CError.busy(driver: "lm75")) { try bus.transfer(0x48, [.write([0]), .read(1)]) }
    #expect(try bus.transfer(0x51, [.write([0]), .read(1)]) == [1])
  }

  @Test func adaptersByNumber() throws {
    let folder = try RecordedTree.make(Self.files, links: Self.links)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(
      Host(root: folder.path).i2cAdapters() == [
        I2CAdapter(number: 1, name: "bcm2835 (i2c@7e804000)", isReachable: true),
        I2CAdapter(number: 2, name: "fef04500.i2c", isReachable: false),
        I2CAdapter(number: 10, name: "i2c-10-mux (chan_id 0)", isReachable: false),
      ])
    #expect(Host(root: folder.path + "/sys").i2cAdapters() == [])
  }

  /// The codes of Documentation/i2c/fault-codes.rst, and those that some adapters answer instead.
  @Test(arguments: [
    (ENXIO, I2CError.noAcknowledge), (EREMOTEIO, .noAcknowledge), (EIO, .noAcknowledge), (ENODEV, .noAcknowledge),
    (EBUSY, .busy(driver: nil)), (ETIMEDOUT, .timedOut), (EAGAIN, .arbitrationLost), (EOPNOTSUPP, .unsupported),
    (EPROTO, .io(errno: EPROTO)),
  ])
  func codesOfTransfers(code: Int32, error: I2CError) {
    #expect(I2CError(transferring: code) == error)
  }

  @Test(arguments: [(ENOENT, I2CError.absent), (ENXIO, .absent), (ENODEV, .absent), (EACCES, .io(errno: EACCES))])
  func codesOfOpening(code: Int32, error: I2CError) {
    #expect(I2CError(opening: code) == error)
  }

  @Test func missingRightsAreExplained() {
    #expect("\(I2CError.io(errno: EACCES))" == "permission denied: the user must be in the group i2c")
    #expect("\(I2CError.busy(driver: "lm75"))" == "the kernel driver lm75 has this address")
  }

  @Test func aFileThatIsNoAdapterIsNoBus() {
    // ENOTTY is what a file without these calls answers.
    #expect(throws: I2CError.io(errno: ENOTTY)) { try LinuxI2CPort("/dev/null") }
    #expect(throws: I2CError.absent) { try LinuxI2CPort("/dev/i2c-no-such") }
  }
}
