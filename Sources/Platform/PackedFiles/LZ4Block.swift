import Glibc

/// A block of LZ4 (lz4_Block_format.md): sequences of literals and of a copy of what came before.
///
/// ```
/// ┌───────┬──────────────┬──────────┬────────┬──────────────┐
/// │ token │ more length  │ literals │ offset │ more length  │
/// │ 4 | 4 │ 255, 255, n  │          │ 2 bytes│ 255, 255, n  │
/// └───────┴──────────────┴──────────┴────────┴──────────────┘
/// ```
///
/// The last sequence ends after its literals.
enum LZ4Block {
  /// Unpacks `input` behind the `start` bytes of `window`, to which copies may reach back. Gives where it ends; nil when the block is damaged, or
  /// has no room.
  static func unpack(_ input: UnsafeRawBufferPointer, into window: UnsafeMutableRawBufferPointer, from start: Int) -> Int? {
    guard let target = window.baseAddress, let source = input.baseAddress else { return nil }
    var place = 0
    var end = start
    while place < input.count {
      let token = Int(input[place])
      place += 1
      guard let literals = length(token >> 4, input, &place), literals <= input.count - place, literals <= window.count - end
      else {
        return nil
      }
      memcpy(target + end, source + place, literals)
      place += literals
      end += literals
      if place == input.count { return end }
      guard input.count - place >= 2 else { return nil }
      let offset = Int(input[place]) | Int(input[place + 1]) << 8
      place += 2
      guard let copied = length(token & 15, input, &place), offset > 0, offset <= end, copied + 4 <= window.count - end else {
        return nil
      }
      copy(copied + 4, from: offset, target, end)
      end += copied + 4
    }
    return nil
  }

  /// 15 says that more bytes are to be added, up to the first that is not 255.
  private static func length(_ first: Int, _ input: UnsafeRawBufferPointer, _ place: inout Int) -> Int? {
    guard first == 15 else { return first }
    var length = first
    while place < input.count {
      let byte = input[place]
      place += 1
      length += Int(byte)
      if byte != 255 { return length }
    }
    return nil
  }

  /// What is copied may overlap what it makes: a run of one byte has the offset 1.
  private static func copy(_ count: Int, from offset: Int, _ target: UnsafeMutableRawPointer, _ end: Int) {
    guard offset < count else {
      memcpy(target + end, target + end - offset, count)
      return
    }
    for index in end..<end + count {
      target.storeBytes(of: target.load(fromByteOffset: index - offset, as: UInt8.self), toByteOffset: index, as: UInt8.self)
    }
  }
}
