// A writer that the tests kill: commits, seals and checkpoints as fast as it can, and prints the last number of each commit that returned.
import Buffer
import Glibc

let path = CommandLine.arguments.dropFirst().first ?? "buffer.db"
do {
  let policy = RetentionPolicy(retainMilliseconds: 7 * 86_400_000, maximumBytes: 64 << 20)
  let writer = try BufferWriter(path: path, node: "edge-01", policy: policy)
  var sequence = writer.opening.nextSequence
  var reserved: UInt64 = 0
  var encoder = TickEncoder()
  var transaction = BufferTransaction()
  if writer.opening.series.isEmpty {
    transaction.series = [
      StoredSeries(id: 0, key: "t.value", name: "t.value", labels: [], unit: "", kind: "gauge", decimals: 1)
    ]
  }
  encoder.learn(decimals: [1])
  let epoch = writer.opening.lastEpoch + 1
  transaction.epochs = [
    Epoch(
      id: epoch, boot: "boot-\(epoch)", firstSequence: sequence, fromMilliseconds: 0,
      offsetMilliseconds: Int64(epoch) * 1_000_000,
      synced: true)
  ]
  var milliseconds: Int64 = 0
  for step in 1... {
    if sequence + 10 > reserved {
      reserved = sequence + 100
      transaction.reservedSequence = reserved
    }
    for _ in 0..<3 {
      if sequence % 20 == 0 { encoder.beginGroup() }
      // The value says which tick it is.
      transaction.ticks.append(
        encoder.encode(sequence: sequence, epoch: epoch, milliseconds: milliseconds, values: [Double(sequence) / 2]))
      sequence += 1
      milliseconds += 1_000
    }
    try writer.commit(transaction)
    transaction = BufferTransaction()
    let line = Array("\(sequence - 1)\n".utf8)
    guard write(1, line, line.count) == line.count else { exit(0) }
    if step % 5 == 0 { _ = try writer.seal(atLeast: 20) }
    if step % 7 == 0 { try writer.checkpoint() }
    if step % 11 == 0 { _ = try writer.makeRoom(policy, now: nil, boot: "boot-\(epoch)", bootNow: milliseconds) }
  }
} catch {
  print(error)
  exit(1)
}
