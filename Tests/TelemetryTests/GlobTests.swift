import Telemetry
import Testing

@Suite struct GlobTests {
  /// All texts of some letters up to a length.
  private static func texts(_ letters: [String], length: Int) -> [String] {
    var all = [""]
    var last = [""]
    for _ in 0..<length {
      last = last.flatMap { text in letters.map { text + $0 } }
      all += last
    }
    return all
  }

  /// Patterns of three characters have at most six letters, so what two of them share they share in a text of six.
  @Test func patternsOverlapWhereTheyShareAText() {
    let patterns = Self.texts(["a", "b", "*", "?"], length: 3).map(Glob.init)
    let texts = Self.texts(["a", "b"], length: 6)
    let matched = patterns.map { pattern in texts.indices.filter { pattern.matches(texts[$0]) } }.map(Set.init)
    for (left, lefts) in zip(patterns, matched) {
      for (right, rights) in zip(patterns, matched) {
        #expect(left.overlaps(right) == !lefts.isDisjoint(with: rights), "'\(left.pattern)' and '\(right.pattern)'")
        if left.covers(right) { #expect(rights.isSubset(of: lefts), "'\(left.pattern)' does not cover '\(right.pattern)'") }
      }
    }
  }

  @Test func whatIsPlainToSeeIsCovered() {
    for (wide, narrow) in [("veth*", "veth1"), ("veth*", "veth1*"), ("*", "*"), ("lo", "lo"), ("mmcblk?boot*", "mmcblk0boot1")] {
      #expect(Glob(wide).covers(Glob(narrow)), "'\(wide)' covers '\(narrow)'")
    }
    for (wide, narrow) in [("lo", "l*"), ("veth*", "*"), ("a?", "a*"), ("lo", "eth0")] {
      #expect(!Glob(wide).covers(Glob(narrow)), "'\(wide)' does not cover '\(narrow)'")
    }
  }

  @Test func aQuestionMarkIsACharacterNotAByte() {
    #expect(Glob("?").overlaps(Glob("é")) && !Glob("??").overlaps(Glob("é")))
  }
}
