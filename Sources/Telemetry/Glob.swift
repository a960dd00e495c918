/// A shell-like pattern: `*` stands for any text, `?` for one character. Matched in time linear in the text times the pattern.
public struct Glob: Hashable, Sendable {
  /// As written.
  public let pattern: String
  private let bytes: [UInt8]

  /// Takes a pattern; every text is one.
  public init(_ pattern: String) {
    self.pattern = pattern
    bytes = Array(pattern.utf8)
  }

  /// Whether the whole text matches.
  public func matches(_ text: String) -> Bool {
    let text = Array(text.utf8)
    var at = 0
    var of = 0
    var star: (at: Int, of: Int)?
    while at < text.count {
      if of < bytes.count, bytes[of] == UInt8(ascii: "*") {
        star = (at, of)
        of += 1
      } else if of < bytes.count, bytes[of] == UInt8(ascii: "?") {
        // One character, not one byte: its UTF-8 continuation goes along.
        at += 1
        while at < text.count, text[at] & 0xC0 == 0x80 { at += 1 }
        of += 1
      } else if of < bytes.count, bytes[of] == text[at] {
        at += 1
        of += 1
      } else if let last = star {
        star = (last.at + 1, last.of)
        at = last.at + 1
        of = last.of + 1
      } else {
        return false
      }
    }
    return bytes[of...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  /// Whether any of the patterns matches.
  public static func any(_ globs: [Glob], match text: String) -> Bool {
    globs.contains { $0.matches(text) }
  }
}
