import Foundation
import Testing

@testable import Platform

/// The bus that can be made to fail, and the folder of its switches: `fail` (the errno of each transfer), `skip` (so many succeed
/// before each that fails), `delay` (ms).
enum FailingBus {
  static let named: (bus: Int, folder: String)? = {
    let text = ProcessInfo.processInfo.environment["GODWIT_TEST_I2C_FAULTS"] ?? ""
    let parts = text.split(separator: ":", maxSplits: 1)
    return parts.count == 2 ? Int(parts[0]).map { ($0, String(parts[1])) } : nil
  }()
}

extension KernelI2C {
  /// Faults of a kernel's bus. `GODWIT_TEST_I2C_FAULTS=N:FOLDER` names one of plain I2C, with a chip of byte registers at 0x48.
  @Suite(.enabled(if: FailingBus.named != nil, "needs a bus that can be made to fail: GODWIT_TEST_I2C_FAULTS"))
  struct I2CFaultTests {
    let number: Int
    let folder: String

    init() throws {
      (number, folder) = try #require(FailingBus.named)
      for name in ["fail", "skip", "delay"] { try turn(name, 0) }
    }

    func turn(_ name: String, _ value: Int32) throws {
      try "\(value)\n".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }

    @Test(arguments: [
      (ENXIO, I2CError.noAcknowledge), (EREMOTEIO, .noAcknowledge), (ETIMEDOUT, .timedOut), (EAGAIN, .arbitrationLost),
      (EPROTO, .io(errno: EPROTO)),
    ])
    func aFaultThatStays(code: Int32, error: I2CError) throws {
      let bus = try Platform.Host().i2cBus(number)
      try turn("fail", code)
      #expect(throws: error) { try bus.transfer(0x48, [.write([0]), .read(2)]) }
      try turn("fail", 0)
      #expect(try bus.transfer(0x48, [.write([0]), .read(2)]).count == 2)
    }

    @Test(arguments: [ENXIO, EAGAIN])
    func aFaultThatPasses(code: Int32) throws {
      let bus = try Platform.Host().i2cBus(number)
      _ = try bus.transfer(0x48, [.write([5, 0x55])])
      try turn("skip", 1)
      try turn("fail", code)
      for _ in 0..<10 { #expect(try bus.transfer(0x48, [.write([5]), .read(1)]) == [0x55]) }
      try turn("fail", 0)
    }

    @Test func aSlowBusAnswers() throws {
      let bus = try Platform.Host().i2cBus(number)
      _ = try bus.transfer(0x48, [.write([6, 0x66])])
      try turn("delay", 200)
      #expect(try bus.transfer(0x48, [.write([6]), .read(1)]) == [0x66])
      try turn("delay", 0)
    }

    @Test func aDriverHasTheAddress() throws {
      let adapter = "/sys/bus/i2c/devices/i2c-\(number)"
      try "lm75 0x48\n".write(toFile: adapter + "/new_device", atomically: false, encoding: .utf8)
      defer { try? "0x48\n".write(toFile: adapter + "/delete_device", atomically: false, encoding: .utf8) }
      let owner = try #require(Platform.Host().i2cOwner(bus: number, address: 0x48))
      #expect(owner.driver == "lm75")
      #expect(owner.nodes.count == 1)
      let temperature = try #require(owner.nodes.first) + "/temp1_input"
      #expect(FileManager.default.fileExists(atPath: temperature))
      #expect(throws: I2CError.busy(driver: "lm75")) {
        try Platform.Host().i2cBus(number).transfer(0x48, [.write([0]), .read(2)])
      }
      // The kernel itself says so too, where sysfs cannot be read.
      let port = try LinuxI2CPort("/dev/i2c-\(number)")
      #expect(throws: I2CError.busy(driver: nil)) { try port.attempt(0x48, [.write([0]), .read(2)]) }
    }
  }
}
