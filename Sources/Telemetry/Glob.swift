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

  /// Whether some text matches both patterns.
  public func overlaps(_ other: Glob) -> Bool {
    let (left, right) = (Array(pattern.unicodeScalars), Array(other.pattern.unicodeScalars))
    // By what is left of `right`: whether it and what is left of `left`, a scalar less in each round, overlap.
    var row = [Bool](repeating: false, count: right.count + 1)
    for at in stride(from: left.count, through: 0, by: -1) {
      let below = row
      for of in stride(from: right.count, through: 0, by: -1) {
        if at == left.count, of == right.count {
          row[of] = true
        } else if at < left.count, left[at] == "*" {
          row[of] = below[of] || (of < right.count && row[of + 1])
        } else if of < right.count, right[of] == "*" {
          row[of] = row[of + 1] || (at < left.count && below[of])
        } else if at < left.count, of < right.count {
          row[of] = below[of + 1] && (left[at] == right[of] || left[at] == "?" || right[of] == "?")
        } else {
          row[of] = false
        }
      }
    }
    return row[0]
  }

  /// Whether every text that `other` matches is matched; false too where that is not plain to see.
  public func covers(_ other: Glob) -> Bool {
    // A '*' of the other must meet one here: a '?' would take it for a single character.
    guard !bytes.contains(UInt8(ascii: "?")) || !other.bytes.contains(UInt8(ascii: "*")) else { return false }
    return matches(other.pattern)
  }

  /// Whether any of the patterns matches.
  public static func any(_ globs: [Glob], match text: String) -> Bool {
    globs.contains { $0.matches(text) }
  }
}
