import Foundation
import Synchronization
import Testing

@testable import Platform

/// Several users of one bus, and what goes wrong on it.
@Suite struct I2CSharingTests {
  /// Notes who transferred; hangs while it is told to.
  final class NotingPort: I2CPort {
    let name: String
    let notes: Notes

    init(_ name: String, _ notes: Notes) {
      self.name = name
      self.notes = notes
    }

    func attempt(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
      notes.add(name)
      while notes.hangs.load(ordering: .acquiring) { Platform.Thread.sleep(milliseconds: 1) }
      return []
    }
  }

  final class Notes: Sendable {
    let hangs = Atomic<Bool>(false)
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { $0.append(name) } }
  }

  static func user(_ name: String, _ notes: Notes, _ lock: I2CBusLock) -> SharedI2CBus {
    SharedI2CBus(port: NotingPort(name, notes), lock: lock) { _ in nil }
  }

  @Test func programsOfTwoUsersDoNotInterleave() throws {
    let notes = Notes()
    let lock = I2CBusLock(path: "/nonexistent")
    let done = Atomic<Int>(0)
    for name in ["a", "b"] {
      let started = Platform.Thread.start(name: name) {
        let bus = Self.user(name, notes, lock)
        for _ in 0..<50 {
          while (try? bus.hold()) == nil {}
          for _ in 0..<3 { _ = try? bus.transfer(0x48, [.write([1])]) }
          bus.release()
        }
        done.add(1, ordering: .releasing)
      }
      #expect(started)
    }
    try #require(comes { done.load(ordering: .acquiring) == 2 })
    let names = notes.all
    #expect(names.count == 300)
    for start in stride(from: 0, to: names.count, by: 3) { #expect(Set(names[start..<start + 3]).count == 1) }
  }

  @Test func aHolderThatHangsInATransferTurnsTheOthersAway() throws {
    let notes = Notes()
    let lock = I2CBusLock(path: "/nonexistent", holdMilliseconds: 0)
    notes.hangs.store(true, ordering: .releasing)
    let outcome = Mutex<Bool?>(nil)
    let started = Platform.Thread.start(name: "hanging") {
      let done = (try? Self.user("a", notes, lock).transfer(0x48, [.read(1)])) != nil
      outcome.withLock { $0 = done }
    }
    #expect(started)
    try #require(comes { notes.all == ["a"] })
    let other = Self.user("b", notes, lock)
    #expect(throws: I2CError.timedOut) { try other.transfer(0x49, [.read(1)]) }
    #expect(notes.all == ["a"])
    notes.hangs.store(false, ordering: .releasing)
    try #require(comes { outcome.withLock { $0 } == true })
    #expect(try other.transfer(0x49, [.read(1)]) == [])
    #expect(notes.all == ["a", "b"])
  }

  @Test func aHolderThatHangsBetweenTransfersLosesTheBus() throws {
    let notes = Notes()
    let lock = I2CBusLock(path: "/nonexistent", holdMilliseconds: 0)
    let (sleeper, other) = (Self.user("a", notes, lock), Self.user("b", notes, lock))
    try sleeper.hold()
    _ = try sleeper.transfer(0x48, [.read(1)])
    try other.hold()
    #expect(throws: I2CError.timedOut) { try sleeper.transfer(0x48, [.read(1)]) }
    // Its late release is not the other's.
    sleeper.release()
    #expect(try other.transfer(0x48, [.read(1)]) == [])
    #expect(notes.all == ["a", "b"])
    other.release()
    #expect(try sleeper.transfer(0x48, [.read(1)]) == [])
  }

  @Test(arguments: [("lost", 3), ("nak", 1)])
  func aFaultThatPassesIsRepeatedThrough(fault: String, times: Int) throws {
    let lines = [String](repeating: "w 00 r 2 -> \(fault)\n", count: times).joined()
    let port = try I2CRecordingTests.port("at 48\n\(lines)w 00 r 2 = 12 34\n")
    let bus = SharedI2CBus(port: port, lock: I2CBusLock(path: "/nonexistent")) { _ in nil }
    #expect(try bus.transfer(0x48, [.write([0]), .read(2)]) == [0x12, 0x34])
  }

  @Test(arguments: [("lost", 4, I2CError.arbitrationLost), ("nak", 2, .noAcknowledge), ("timeout", 1, .timedOut)])
  func aFaultThatStaysIsGivenUp(fault: String, times: Int, error: I2CError) throws {
    let lines = [String](repeating: "w 00 r 2 -> \(fault)\n", count: times).joined()
    let port = try I2CRecordingTests.port("at 48\n\(lines)w 00 r 2 = 12 34\n")
    let bus = SharedI2CBus(port: port, lock: I2CBusLock(path: "/nonexistent")) { _ in nil }
    #expect(throws: error) { try bus.transfer(0x48, [.write([0]), .read(2)]) }
    // All of them were used up, and no good one.
    #expect(try bus.transfer(0x48, [.write([0]), .read(2)]) == [0x12, 0x34])
  }

  @Test func anotherProcessKeepsTheBus() throws {
    let folder = try RecordedTree.make([".host/i2c/1": "at 48\nregisters 00 = 07\n"])
    defer { try? FileManager.default.removeItem(at: folder) }
    let bus = try Host(root: folder.path).i2cBus(1)
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    other.arguments = [folder.appendingPathComponent(".host/i2c/1").path, "sh", "-c", "echo held; read line"]
    let (input, output) = (Pipe(), Pipe())
    other.standardInput = input
    other.standardOutput = output
    try other.run()
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
    #expect(throws: I2CError.timedOut) { try bus.transfer(0x48, [.write([0]), .read(1)]) }
    try input.fileHandleForWriting.close()
    other.waitUntilExit()
    #expect(try bus.transfer(0x48, [.write([0]), .read(1)]) == [7])
  }

  /// Waits for what another thread does; the bound only ends a broken run.
  private func comes(_ holds: () -> Bool) -> Bool {
    let deadline = Date().addingTimeInterval(30)
    while !holds() {
      if Date() > deadline { return false }
      Foundation.Thread.sleep(forTimeInterval: 0.005)
    }
    return true
  }
}
