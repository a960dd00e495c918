import CFaultVFS
import Foundation
import Testing

@testable import Buffer
@testable import Telemetry

extension StorageFaultTests {
  /// Lets the n-th call fail for n = 1, 2, … until the whole of opening, committing, sealing, making room and checkpointing comes through.
  @Test(arguments: [FAULT_EIO, FAULT_ENOSPC, FAULT_SHORT], [false, true])
  func everyCallMayFailOnceAndCostsNothing(kind: Int, lasting: Bool) throws {
    let folder = try makeFaultFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    defer { fault_watch(nil) }
    var kinds: [BufferError.Kind: Int] = [:]
    // With a lasting fault it is enough to try some of the places.
    var call = 1
    while call < 5_000 {
      let path = "\(folder)/\(call).db"
      #expect(fault_watch(path) == 0)
      fault_fail(call, Int32(kind), lasting ? 1 : 0)
      let run = FailingRun(path: path, kinds: kinds)
      try run.use()
      #expect(run.troubles.isEmpty, "kind \(kind), call \(call), lasting \(lasting): \(run.troubles)")
      kinds = run.kinds
      for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
      if run.failedCalls == 0 { break }
      call += lasting ? 3 : 1
    }
    #expect(call > 60 && call < 5_000)
    #expect(Set(kinds.keys).isSubset(of: kind == FAULT_ENOSPC ? [.full, .io] : [.io]), "\(kinds)")
    #expect(!kinds.isEmpty)
  }
}

/// A workload under a failing call: whatever fails is tried again when the fault is over.
private final class FailingRun {
  private(set) var troubles: [String] = []
  private(set) var kinds: [BufferError.Kind: Int]
  private(set) var failedCalls = 0
  private let path: String

  init(path: String, kinds: [BufferError.Kind: Int]) { (self.path, self.kinds) = (path, kinds) }

  func use() throws {
    var workload: Workload?
    try attempt("open") { workload = try Workload(path: self.path, seed: 77) }
    guard let workload else { return troubles.append("does not open after the fault") }
    for _ in 0..<12 {
      workload.prepare()
      try attempt("commit") { try workload.commit() }
      try attempt("upkeep") { try workload.keepUp() }
      try attempt("seal") { try workload.seal(atLeast: 5) }
    }
    if !workload.hasMerged { troubles.append("nothing was merged") }
    try attempt("checkpoint") { try workload.writer.checkpoint() }
    fault_fail(0, 0, 0)
    try compare(workload, "at the end")
    let state = try BufferReader(path: path).state()
    if state.nextSequence <= workload.ticks.keys.max() ?? 0 { troubles.append("numbers would be given out again") }
  }

  /// Runs `body`; when it fails, what was acknowledged must be readable once the fault is over, and a second try come through.
  private func attempt(_ name: String, _ body: () throws -> Void) throws {
    do { return try body() } catch let error as BufferError { kinds[error.kind, default: 0] += 1 }
    failedCalls += fault_failed()
    fault_fail(0, 0, 0)
    do { try body() } catch { troubles.append("\(name) again: \(error)") }
  }

  private func compare(_ workload: Workload, _ place: String) throws {
    var found: Set<UInt64> = []
    let damage = try BufferReader(path: path).ticks(0...(.max)) { tick in
      let bits = tick.values.map(\.bitPattern)
      if workload.ticks[tick.sequence]?.tick.bits != bits { troubles.append("tick \(tick.sequence) is another") }
      found.insert(tick.sequence)
      return true
    }
    if !damage.isNone { troubles.append("\(damage) \(place)") }
    for (sequence, known) in workload.ticks where known.entry.committed != .max && known.entry.evicted == .max {
      if !found.contains(sequence) { troubles.append("tick \(sequence) lost \(place)") }
    }
  }
}
