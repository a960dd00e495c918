/// The CRC-32 of a row of the small tables on which everything else rests: numbers as eight bytes, little-endian, texts as their count of
/// bytes, as such a number, and their UTF-8. It stands in the row's last column, `crc`.
struct RowChecksum {
  private var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(256) }

  mutating func add(_ number: Int64) {
    LittleEndian.append(UInt64(bitPattern: number), to: &bytes)
  }

  mutating func add(_ text: String) {
    add(Int64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  var value: Int64 { Int64(Checksum.of(bytes, 0..<bytes.count)) }
}

extension StoredSeries {
  var checksum: Int64 { checksum(labels: LabelText.encode(labels)) }

  /// With the text of the labels as it stands in the row: every reader checks every series, and making it anew costs more than the rest.
  func checksum(labels text: String) -> Int64 {
    var checksum = RowChecksum()
    checksum.add(Int64(id))
    for text in [key, name, text, unit, kind] { checksum.add(text) }
    checksum.add(Int64(decimals))
    return checksum.value
  }
}

extension Epoch {
  var checksum: Int64 {
    var checksum = RowChecksum()
    checksum.add(Int64(id))
    checksum.add(boot)
    for number in [Int64(clamping: firstSequence), fromMilliseconds, offsetMilliseconds, synced ? 1 : 0] { checksum.add(number) }
    return checksum.value
  }
}

extension DeliveryPosition {
  /// Of the row in `delivery`.
  func checksum(of sink: String) -> Int64 { Self.checksum(sink, next, event) }

  /// Of a row in `owed`.
  static func checksum(of sink: String, owed range: ClosedRange<UInt64>) -> Int64 {
    checksum(sink, range.lowerBound, range.upperBound)
  }

  private static func checksum(_ sink: String, _ numbers: UInt64...) -> Int64 {
    var checksum = RowChecksum()
    checksum.add(sink)
    for number in numbers { checksum.add(Int64(clamping: number)) }
    return checksum.value
  }
}
