/// Versions of Alpine packages, `number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}`: apk-package(5).
enum AlpineVersion {
  /// Parts of a version, in the order in which they may follow; of two versions that are equal so far the one whose part comes later is the older.
  private enum Part: Int {
    case first, number, letter, suffix, suffixNumber, hash, revision, end, none
  }

  /// In their order; without a suffix is between `rc` and `cvs`.
  private static let suffixes: [StaticString] = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"]
  private static let noSuffix = 4

  /// Walks over the parts of a version.
  private struct Walk {
    private var rest: ArraySlice<UInt8>
    private(set) var part = Part.first
    private(set) var text: ArraySlice<UInt8>
    private(set) var suffix = noSuffix

    init(_ version: ArraySlice<UInt8>) {
      rest = version
      text = version
      takeDigits(.first)
    }

    private mutating func take(while isWanted: (UInt8) -> Bool) {
      let count = rest.prefix(while: isWanted).count
      text = rest.prefix(count)
      rest = rest.dropFirst(count)
    }

    private mutating func takeDigits(_ part: Part) {
      take { $0 &- 0x30 < 10 }
      self.part = text.isEmpty ? .none : part
    }

    mutating func advance() {
      guard let byte = rest.first else {
        part = .end
        return
      }
      let former = part
      part = .none
      switch byte {
      case 0x61...0x7A where former.rawValue <= Part.number.rawValue:
        text = rest.prefix(1)
        rest = rest.dropFirst()
        part = .letter
      case UInt8(ascii: ".") where former.rawValue <= Part.number.rawValue:
        rest = rest.dropFirst()
        takeDigits(.number)
      case 0x30...0x39 where former == .suffix: takeDigits(.suffixNumber)
      case UInt8(ascii: "_") where former.rawValue <= Part.suffixNumber.rawValue:
        rest = rest.dropFirst()
        take { 0x61...0x7A ~= $0 }
        let name = text
        if let place = suffixes.firstIndex(where: { name.elementsEqual("\($0)".utf8) }), !name.isEmpty {
          (part, suffix) = (.suffix, place)
        }
      case UInt8(ascii: "~") where former.rawValue < Part.hash.rawValue:
        rest = rest.dropFirst()
        take { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
        part = text.isEmpty ? .none : .hash
      case UInt8(ascii: "-") where former.rawValue < Part.revision.rawValue && rest.dropFirst().first == UInt8(ascii: "r"):
        rest = rest.dropFirst(2)
        takeDigits(.revision)
      default: break
      }
    }
  }

  /// Whether the first is the older one.
  static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    var (a, b) = (Walk(left), Walk(right))
    while a.part == b.part, a.part.rawValue < Part.end.rawValue {
      let order = compare(a, b)
      if order != 0 { return order < 0 }
      a.advance()
      b.advance()
    }
    if a.part == b.part { return false }
    if a.part == .suffix, a.suffix < noSuffix { return true }
    if b.part == .suffix, b.suffix < noSuffix { return false }
    return a.part.rawValue > b.part.rawValue
  }

  private static func compare(_ a: Walk, _ b: Walk) -> Int {
    switch a.part {
    case .first, .suffixNumber, .revision: return compare(numbers: a.text, b.text)
    case .suffix: return a.suffix - b.suffix
    case .number where a.text.first != 0x30 && b.text.first != 0x30: return compare(numbers: a.text, b.text)
    // With a zero before it a number is read like the digits behind a decimal point.
    default: return compare(texts: a.text, b.text)
    }
  }

  private static func compare(texts a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
    for (x, y) in zip(a, b) where x != y { return Int(x) - Int(y) }
    return a.count - b.count
  }

  private static func compare(numbers a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
    let (a, b) = (a.drop { $0 == 0x30 }, b.drop { $0 == 0x30 })
    return a.count != b.count ? a.count - b.count : compare(texts: a, b)
  }
}
