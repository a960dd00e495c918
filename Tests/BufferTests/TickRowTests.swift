import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct TickRowTests {
  private static func decode(_ row: [UInt8], _ stamp: TickStamp) -> TickCodecError? {
    var decoder = TickDecoder(decimals: [1, 0])
    return row.withUnsafeBytes { decoder.decode(stamp, row: $0) }
  }

  private static let stamp = TickStamp(sequence: 7, epoch: 3, milliseconds: 1_000, back: 0)

  private static func row() -> [UInt8] {
    var encoder = TickEncoder()
    encoder.learn(decimals: [1, 0])
    return encoder.encode(sequence: 7, epoch: 3, milliseconds: 1_000, values: [12.5, 4]).rowBytes
  }

  /// The sum by Python: `zlib.crc32(struct.pack("<4q", 7, 3, 1000, 0) + bytes.fromhex("4b0203f40310"))`.
  @Test func theRowIsAsDrawn() {
    #expect(Self.row() == [0x4B, 2, 0b11, 0xF4, 0x03, 0x10] + [37, 137, 220, 140])
    #expect(Self.decode(Self.row(), Self.stamp) == nil)
  }

  @Test func everyFlippedBitOfARowIsFound() {
    let good = Self.row()
    for bit in 0..<good.count * 8 {
      var bad = good
      bad[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Self.decode(bad, Self.stamp) == .damaged, "bit \(bit)")
    }
    for bit in 0..<63 {
      var stamps = Array(repeating: Self.stamp, count: 4)
      stamps[0].sequence ^= 1 << UInt64(bit)
      stamps[1].epoch ^= 1 << Int64(bit)
      stamps[2].milliseconds ^= 1 << Int64(bit)
      stamps[3].back ^= 1 << Int64(bit)
      for stamp in stamps { #expect(Self.decode(good, stamp) == .damaged, "bit \(bit) of \(stamp)") }
    }
    for count in 0..<good.count { #expect(Self.decode(Array(good.prefix(count)), Self.stamp) == .damaged) }
  }

  /// One bit of a row turns no format with a checksum into one without.
  @Test func formatsAreFarApart() {
    for format in [TickFormat.key, TickFormat.delta] {
      for plain in [TickFormat.plainKey, TickFormat.plainDelta] { #expect((format ^ plain).nonzeroBitCount >= 3) }
    }
  }

  @Test func aLaterFormatIsAnErrorForReadersAndSealing() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(300)
    var later = EncodedTick(sequence: 251, epoch: 1, milliseconds: 250_000, back: 0, bytes: [0x60, 1, 2, 3])
    let put = try recorder.writer.database.prepare("UPDATE tick SET [values] = ? WHERE seq = 251")
    put.bind(1, later.rowBytes)
    try put.run()
    let reader = try BufferReader(path: scratch.path)
    for attempt in [
      { _ = try sequences(reader) }, { _ = try reader.samples(series: 0, wall: 0...(1 << 50), tier: .raw) },
      {
        try recorder.tick(300); _ = try recorder.writer.seal(atLeast: 300)
      },
    ] {
      let error = #expect(throws: BufferError.self) { try attempt() }
      #expect(error?.kind == .newer)
    }
    #expect(try reader.verify().findings.contains { $0.what == "tick 251: its format 96 is a later one" })
    #expect(try sequences(reader, 1...250).found.count == 250)
    // The same bytes under a wrong sum are damage.
    later.milliseconds = 1
    put.bind(1, later.rowBytes)
    try put.run()
    // The rest of its group goes along.
    #expect(try sequences(reader).damaged == 250)
  }

  @Test func aFileOfVersionTwoIsReadAndBroughtUpToDate() throws {
    let scratch = try Scratch()
    do {
      var recorder = try Recorder(scratch)
      recorder.begin(boot: "a", offset: 0, synced: true)
      try recorder.tick(700)
      _ = try recorder.writer.seal(atLeast: 250)
      try recorder.writer.database.execute(
        """
        UPDATE tick SET [values] =
          CAST((CASE back WHEN 0 THEN X'01' ELSE X'02' END) || substr([values], 2, length([values]) - 5) AS BLOB);
        PRAGMA user_version = 2;
        """)
      try Scratch.dropChecksums(recorder.writer.database)
    }
    #expect(try sequences(BufferReader(path: scratch.path)).found == Array(1...700))
    var recorder = try Recorder(scratch)
    #expect(try recorder.writer.database.integer("PRAGMA user_version") == 3)
    recorder.sequence = 701
    recorder.begin(boot: "b", offset: 5_000, synced: true, at: 0)
    try recorder.tick(600)
    #expect(try sequences(BufferReader(path: scratch.path)).found == Array(1...1_300))
    while try !recorder.writer.seal(atLeast: 250).isEmpty {}
    let reader = try BufferReader(path: scratch.path)
    #expect(try sequences(reader).found == Array(1...1_300))
    #expect(try reader.verify().isGood)
  }
}
