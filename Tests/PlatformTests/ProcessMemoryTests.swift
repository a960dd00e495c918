import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@Suite struct ProcessMemoryTests {
  private final class Seen: Sendable {
    let sum = Mutex(0)
    let resident = Mutex<[Int]>([])
    let isDone = Atomic<Bool>(false)
  }

  /// Resident bytes of the mapping that holds an address (proc_pid_smaps(5)).
  private static func residentBytes(at address: UInt) -> Int {
    let text = try? Host().file("/proc/self/smaps", limit: 16 << 20).read { (text) throws(SensorError) in text.rest() }
    var isMapping = false
    for line in (text ?? "").split(separator: "\n") {
      let words = line.split(separator: " ")
      let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      if ends.count == 2 { isMapping = ends[0] <= address && address < ends[1] }
      if isMapping, words[0] == "Rss:" { return (Int(words[1]) ?? 0) << 10 }
    }
    return 0
  }

  /// Uses 256 KiB of stack, a KiB a call, and adds up what it wrote there.
  @inline(never) private static func work(_ depth: Int = 256) -> Int {
    guard depth > 0 else { return 0 }
    return withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 16) { bytes in
      for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index) }
      let below = work(depth - 1)
      return bytes.reduce(below) { $0 + Int($1) }
    }
  }

  @Test func theStackOfTheLastWorkIsGivenBackAndTheThreadGoesOn() throws {
    let seen = Seen()
    let started = Platform.Thread.start(name: "stack") {
      var mark = 4711
      let address = withUnsafePointer(to: &mark) { UInt(bitPattern: $0) }
      for _ in 0..<3 {
        seen.sum.withLock { $0 += Self.work() }
        let before = Self.residentBytes(at: address)
        ProcessMemory.releaseStack()
        let after = Self.residentBytes(at: address)
        seen.resident.withLock { $0 += [before, after] }
      }
      if mark == 4711 { seen.isDone.store(true, ordering: .releasing) }
    }
    try #require(started)
    for _ in 0..<3_000 where !seen.isDone.load(ordering: .acquiring) { usleep(10_000) }
    let (isDone, sum) = (seen.isDone.load(ordering: .acquiring), seen.sum.withLock { $0 })
    #expect(isDone)
    // Each KiB holds all bytes four times.
    #expect(sum == 3 * 256 * 4 * (255 * 256 / 2))
    let resident = seen.resident.withLock { $0 }
    try #require(resident.count == 6)
    let (used, kept) = (stride(from: 0, to: 6, by: 2).map { resident[$0] }, stride(from: 1, to: 6, by: 2).map { resident[$0] })
    #expect(used.allSatisfy { $0 >= 262_144 }, "\(resident)")
    #expect(kept.allSatisfy { $0 < 131_072 }, "\(resident)")
  }
}
