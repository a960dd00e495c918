import Telemetry

/// A line of StatsD (https://github.com/statsd/statsd/blob/master/docs/metric_types.md) with the tags of DogStatsD:
///
/// ```
/// name:value|type|@rate|#key:value,key:value
/// ```
struct StatsDLine: Equatable {
  /// What the value is.
  enum Kind: Equatable {
    /// `c`: added to a total.
    case counter
    /// `g`: a level; with a sign a change of it.
    case gauge(isChange: Bool)
    /// `ms`: a time in milliseconds.
    case timer
    /// `h` and `d`: any quantity that is told like a time.
    case histogram
    /// `s`: a text, of which the different ones are counted.
    case set
  }

  var name: String
  var kind: Kind
  /// 0 of a set.
  var value = 0.0
  /// A set's text, by its hash.
  var member: UInt64 = 0
  /// Which share of such lines was sent, above 0 up to 1.
  var rate = 1.0
  var labels: [Label] = []

  /// Nil for what is no such line.
  init?(_ line: ArraySlice<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
    guard fields.count >= 2, fields.count <= 8, let colon = fields[0].firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let name = fields[0][..<colon]
    let value = fields[0][(colon + 1)...]
    guard !name.isEmpty, name.count <= CustomLimits.nameBytes, !value.isEmpty else { return nil }
    self.name = String(decoding: name, as: UTF8.self)
    switch String(decoding: fields[1].prefix(3), as: UTF8.self) {
    case "c": kind = .counter
    case "g": kind = .gauge(isChange: value.first == UInt8(ascii: "+") || value.first == UInt8(ascii: "-"))
    case "ms": kind = .timer
    case "h", "d": kind = .histogram
    case "s": kind = .set
    default: return nil
    }
    if kind == .set {
      // FNV-1a: texts of any length cost the same to remember.
      member = value.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    } else {
      guard let number = CustomText.number(value) else { return nil }
      self.value = number
    }
    for field in fields.dropFirst(2) {
      switch field.first {
      case UInt8(ascii: "@"):
        guard let rate = CustomText.number(field.dropFirst()), rate > 0, rate <= 1 else { return nil }
        self.rate = rate
      case UInt8(ascii: "#"): guard readTags(field.dropFirst()) else { return nil }
      // Later fields of DogStatsD: the container, a timestamp.
      default: continue
      }
    }
  }

  private mutating func readTags(_ field: ArraySlice<UInt8>) -> Bool {
    for tag in field.split(separator: UInt8(ascii: ",")) {
      let key = CustomText.name(tag.prefix { $0 != UInt8(ascii: ":") })
      let value = String(decoding: tag.drop { $0 != UInt8(ascii: ":") }.dropFirst(), as: UTF8.self)
      guard !key.isEmpty, labels.count < CustomLimits.labels, value.utf8.count <= Limits.labelValueBytes,
        !labels.contains(where: { $0.key == key })
      else { return false }
      labels.append(Label(key, value))
    }
    labels.sort()
    return true
  }
}
