import Foundation
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct RowChecksumTests {
  private static func filled() throws -> Scratch {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 1_700_000_000_000, synced: true)
    try recorder.tick(300)
    var delivered = BufferTransaction()
    delivered.deliveries = ["mqtt": DeliveryPosition(next: 200, owed: [11...20], event: 3)]
    try recorder.writer.commit(delivered)
    return scratch
  }

  /// The checksum of python's zlib over the same row: offset 5, boot "a", id 1, first 1, from 0, synchronised.
  @Test func theChecksumIsThatOfZlib() {
    let epoch = Epoch(id: 1, boot: "a", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 5, synced: true)
    #expect(epoch.checksum == 4247319801)
  }

  @Test(arguments: [
    "UPDATE series SET decimals = 0 WHERE id = 1", "UPDATE series SET name = name || 'x' WHERE id = 0",
    "UPDATE epoch SET offset_ms = offset_ms + (1 << 35)", "UPDATE epoch SET synced = 0", "UPDATE epoch SET crc = crc + 1",
  ])
  func aDamagedRowIsRefusedByReaderAndWriter(damage: String) throws {
    let scratch = try Self.filled()
    try Database(path: scratch.path, mode: .writer).execute(damage)
    func refusal(_ open: () throws(BufferError) -> Void) -> BufferError? {
      do throws(BufferError) { try open() } catch { return error }
      return nil
    }
    let refusals = [
      refusal { () throws(BufferError) in _ = try BufferReader(path: scratch.path) },
      refusal { () throws(BufferError) in
        _ = try BufferWriter(path: scratch.path, node: "edge-01", policy: Recorder.roomy)
      },
    ]
    for error in refusals { #expect(error?.kind == .corrupt && error?.message.hasSuffix("does not match its checksum") == true) }
  }

  @Test(arguments: [
    "UPDATE delivery SET next = next + 1024", "UPDATE delivery SET event = 7", "UPDATE owed SET first = 12",
    "UPDATE owed SET last = 16", "UPDATE owed SET sink = 'mqtu'",
  ])
  func aDamagedPositionMeansThatNothingWasDelivered(damage: String) throws {
    let scratch = try Self.filled()
    #expect(try BufferReader(path: scratch.path).state().deliveries["mqtt"]?.owed == [11...20])
    try Database(path: scratch.path, mode: .writer).execute(damage)
    #expect(try !BufferReader(path: scratch.path).verify().isGood)
    do {
      let writer = try BufferWriter(path: scratch.path, node: "edge-01", policy: Recorder.roomy)
      #expect(writer.opening.isDeliveryLost && writer.opening.deliveries.isEmpty)
      var transaction = BufferTransaction()
      transaction.deliveries = ["mqtt": DeliveryPosition(next: 5)]
      try writer.commit(transaction)
    }
    // What was damaged is gone, and is told once.
    let state = try BufferReader(path: scratch.path).state()
    #expect(!state.isDeliveryLost && state.deliveries == ["mqtt": DeliveryPosition(next: 5)])
  }
}
