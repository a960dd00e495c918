/// Versions of Debian packages: deb-version(7), "Sorting algorithm".
enum DebianVersion {
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// A tilde sorts before the end, the end before letters, letters before all else.
  private static func order(_ byte: UInt8?) -> Int {
    guard let byte, !isDigit(byte) else { return 0 }
    if byte == UInt8(ascii: "~") { return -1 }
    return byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A ? Int(byte) : Int(byte) + 256
  }

  /// Whether the first is the older one.
  static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    let (first, second) = (parts(left), parts(right))
    let byEpoch = compare(first.epoch, second.epoch)
    if byEpoch != 0 { return byEpoch < 0 }
    let byVersion = compare(first.version, second.version)
    if byVersion != 0 { return byVersion < 0 }
    return compare(first.revision, second.revision) < 0
  }

  /// `epoch:version-revision`.
  private static func parts(
    _ text: ArraySlice<UInt8>
  ) -> (epoch: ArraySlice<UInt8>, version: ArraySlice<UInt8>, revision: ArraySlice<UInt8>) {
    var (start, end) = (text.startIndex, text.endIndex)
    if let colon = text.firstIndex(of: UInt8(ascii: ":")) { start = colon + 1 }
    if let dash = text.lastIndex(of: UInt8(ascii: "-")), dash >= start { end = dash }
    return (text[text.startIndex..<max(start - 1, text.startIndex)], text[start..<end], text[min(end + 1, text.endIndex)...])
  }

  /// Runs of other characters and of digits in turn; a number is as good with zeros before it.
  private static func compare(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
    var (a, b) = (left.startIndex, right.startIndex)
    func first() -> UInt8? { a < left.endIndex ? left[a] : nil }
    func second() -> UInt8? { b < right.endIndex ? right[b] : nil }
    while a < left.endIndex || b < right.endIndex {
      while first().map({ !isDigit($0) }) ?? false || second().map({ !isDigit($0) }) ?? false {
        let difference = order(first()) - order(second())
        if difference != 0 { return difference }
        a = min(a + 1, left.endIndex)
        b = min(b + 1, right.endIndex)
      }
      while first() == 0x30 { a += 1 }
      while second() == 0x30 { b += 1 }
      var difference = 0
      while let x = first(), let y = second(), isDigit(x), isDigit(y) {
        if difference == 0 { difference = Int(x) - Int(y) }
        a += 1
        b += 1
      }
      if first().map(isDigit) ?? false { return 1 }
      if second().map(isDigit) ?? false { return -1 }
      if difference != 0 { return difference }
    }
    return 0
  }
}
