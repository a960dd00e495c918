import Foundation
import Platform
import Telemetry
import Testing

/// Suites that may be given the same bus: one test at a time, for they keep it from each other.
@Suite(.serialized) enum KernelI2C {}

extension KernelI2C {
  /// One suite over both kinds of buses: a recorded one, and those of the kernel that `GODWIT_TEST_I2C` names. Each has one chip of
  /// byte registers at 0x48, free of a driver, and nothing at 0x49.
  @Suite struct I2CBusTests {
    /// The bus under test. A class, so that the recording goes away with it.
    final class Subject: CustomTestStringConvertible, Sendable {
      let testDescription: String
      let number: Int
      let host: Platform.Host
      private let folder: URL?

      /// A bus of this machine.
      init(kernel number: Int) {
        (testDescription, self.number, host, folder) = ("/dev/i2c-\(number)", number, Host(), nil)
      }

      /// A recorded one.
      init(recorded text: String, _ description: String) throws {
        let folder = try RecordedTree.make([".host/i2c/3": text])
        (testDescription, number, host, self.folder) = (description, 3, Host(root: folder.path), folder)
      }

      deinit { if let folder { try? FileManager.default.removeItem(at: folder) } }

      func bus() throws -> any I2CBus { try host.i2cBus(number) }
    }

    /// `GODWIT_TEST_I2C=3,4`.
    static let subjects: [Subject] = {
      let zeros = [String](repeating: "00", count: 256).joined(separator: " ")
      let recorded = ["", "functions smbus\n"].compactMap {
        try? Subject(recorded: "\($0)at 48\nregisters 00 = \(zeros)\n", "recorded \($0.isEmpty ? "I2C" : "SMBus")")
      }
      let named = ProcessInfo.processInfo.environment["GODWIT_TEST_I2C"] ?? ""
      return recorded + named.split(separator: ",").compactMap { Int($0) }.map(Subject.init(kernel:))
    }()

    @Test func bothRecordingsAreThere() {
      #expect(Self.subjects.count >= 2)
    }

    @Test(arguments: subjects)
    func whatIsWrittenIsRead(subject: Subject) throws {
      let bus = try subject.bus()
      #expect(try bus.transfer(0x48, [.write([0x10, 0xA5])]) == [])
      #expect(try bus.transfer(0x48, [.write([0x10]), .read(1)]) == [0xA5])
      #expect(try bus.transfer(0x48, [.write([0x10, 0x5A])]) == [])
      #expect(try bus.transfer(0x48, [.write([0x10]), .read(1)]) == [0x5A])
    }

    @Test(arguments: subjects)
    func aWordIsInTheOrderOfTheWire(subject: Subject) throws {
      let bus = try subject.bus()
      _ = try bus.transfer(0x48, [.write([0x20, 0x12, 0x34])])
      #expect(try bus.transfer(0x48, [.write([0x20]), .read(2)]) == [0x12, 0x34])
    }

    @Test(arguments: subjects)
    func aBlockIsWalkedAlong(subject: Subject) throws {
      let bus = try subject.bus()
      let block = (0..<32).map { UInt8(0xE0 ^ $0) }
      _ = try bus.transfer(0x48, [.write([0x40] + block)])
      #expect(try bus.transfer(0x48, [.write([0x40]), .read(32)]) == block)
      #expect(try bus.transfer(0x48, [.write([0x44]), .read(7)]) == Array(block[4..<11]))
    }

    @Test(arguments: subjects)
    func aReadAloneGoesOnFromTheLastPlace(subject: Subject) throws {
      let bus = try subject.bus()
      _ = try bus.transfer(0x48, [.write([0x60, 0x77])])
      _ = try bus.transfer(0x48, [.write([0x60])])
      #expect(try bus.transfer(0x48, [.read(1)]) == [0x77])
    }

    @Test(arguments: subjects)
    func anAddressAloneIsAcknowledgedOrNot(subject: Subject) throws {
      let bus = try subject.bus()
      #expect(try bus.transfer(0x48, [.write([])]) == [])
      #expect(throws: I2CError.noAcknowledge) { try bus.transfer(0x49, [.write([])]) }
      #expect(throws: I2CError.noAcknowledge) { try bus.transfer(0x49, [.read(1)]) }
      #expect(throws: I2CError.noAcknowledge) { try bus.transfer(0x49, [.write([0]), .read(2)]) }
    }

    @Test(arguments: subjects)
    func whatNoBusCanDoIsRefused(subject: Subject) throws {
      let bus = try subject.bus()
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x80, [.read(1)]) }
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x48, []) }
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x48, [.read(0)]) }
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x48, [.read(513)]) }
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x48, [.read(257), .read(256)]) }
      #expect(throws: I2CError.unsupported) { try bus.transfer(0x48, [I2CMessage](repeating: .read(1), count: 9)) }
    }

    @Test(arguments: subjects)
    func stepsThatBelongTogether(subject: Subject) throws {
      let (first, second) = (try subject.bus(), try subject.bus())
      try first.hold()
      _ = try first.transfer(0x48, [.write([0x70, 1])])
      #expect(throws: I2CError.timedOut) { try second.transfer(0x48, [.write([0x70, 2])]) }
      #expect(throws: I2CError.timedOut) { try second.hold() }
      #expect(try first.transfer(0x48, [.write([0x70]), .read(1)]) == [1])
      first.release()
      #expect(try second.transfer(0x48, [.write([0x70, 2])]) == [])
    }

    @Test(arguments: subjects)
    func aUserThatGoesAwayLeavesTheBus(subject: Subject) throws {
      try subject.bus().hold()
      #expect(throws: Never.self) { try subject.bus().hold() }
    }

    @Test(arguments: subjects)
    func aBusThatIsNotThereIsAbsent(subject: Subject) {
      #expect(throws: I2CError.absent) { try subject.host.i2cBus(4095) }
    }

    @Test func aDamagedRecordingIsAMessageOfItsOwn() throws {
      let folder = try RecordedTree.make([".host/i2c/1": "at nowhere\n"])
      defer { try? FileManager.default.removeItem(at: folder) }
      let fault = I2CError.malformed(path: "/.host/i2c/1", what: "line 1: a byte of two hexadecimal digits is wanted")
      #expect(throws: fault) { try Host(root: folder.path).i2cBus(1) }
    }
  }
}

/// A recorded device in a folder of its own.
enum RecordedTree {
  /// Files by path, links by path.
  static func make(_ files: [String: String], links: [String: String] = [:]) throws -> URL {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-i2c-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for path in Array(files.keys) + Array(links.keys) {
      let parent = root.appendingPathComponent(path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    }
    for (path, text) in files { try text.write(to: root.appendingPathComponent(path), atomically: true, encoding: .utf8) }
    for (path, target) in links {
      try FileManager.default.createSymbolicLink(
        atPath: root.appendingPathComponent(path).path, withDestinationPath: target)
    }
    return root
  }
}
