/// Unix time as people and protocols write it: RFC 3339 in UTC.
public enum WallTime {
  /// `2026-11-20T22:40:01.000Z`. Years 0…9999; times outside are clamped.
  public static func text(_ unixMilliseconds: Int64) -> String {
    String(decoding: bytes(unixMilliseconds), as: UTF8.self)
  }

  /// The same as ASCII, without a detour over a text.
  public static func bytes(_ unixMilliseconds: Int64) -> [UInt8] {
    let clamped = min(max(unixMilliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let days = Int(clamped >= 0 ? clamped / 86_400_000 : (clamped - 86_399_999) / 86_400_000)
    let rest = Int(clamped - Int64(days) * 86_400_000)
    let (year, month, day) = civil(days)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24)
    func append(_ value: Int, digits: Int) {
      var unit = 1
      for _ in 1..<digits { unit *= 10 }
      while unit > 0 {
        bytes.append(UInt8(48 + value / unit % 10))
        unit /= 10
      }
    }
    append(year, digits: 4)
    bytes.append(UInt8(ascii: "-"))
    append(month, digits: 2)
    bytes.append(UInt8(ascii: "-"))
    append(day, digits: 2)
    bytes.append(UInt8(ascii: "T"))
    append(rest / 3_600_000, digits: 2)
    bytes.append(UInt8(ascii: ":"))
    append(rest / 60_000 % 60, digits: 2)
    bytes.append(UInt8(ascii: ":"))
    append(rest / 1_000 % 60, digits: 2)
    bytes.append(UInt8(ascii: "."))
    append(rest % 1_000, digits: 3)
    bytes.append(UInt8(ascii: "Z"))
    return bytes
  }

  /// Reads `2026-11-20`, `2026-11-20T22:40`, `2026-11-20T22:40:01`, `….250Z` or with an offset `+01:00`; without one it is UTC.
  /// Nil for anything else.
  public static func milliseconds(_ text: String) -> Int64? {
    var rest = Substring(text)
    func number(_ count: Int) -> Int? {
      let digits = rest.prefix(count)
      guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
      rest = rest.dropFirst(count)
      return Int(digits)
    }
    func skip(_ character: Character) -> Bool {
      guard rest.first == character else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
      (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let date = days(year, month, day)
    guard civil(date) == (year, month, day) else { return nil }
    var total = Int64(date) * 86_400_000
    if rest.isEmpty { return total }
    guard skip("T") || skip(" "), let hour = number(2), skip(":"), let minute = number(2), hour < 24, minute < 60 else {
      return nil
    }
    total += Int64(hour * 3_600_000 + minute * 60_000)
    if skip(":") {
      guard let second = number(2), second < 61 else { return nil }
      total += Int64(second * 1_000)
      if skip(".") {
        let fraction = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(fraction.count)
        guard !fraction.isEmpty, fraction.count <= 9 else { return nil }
        total += Int64((fraction + "000").prefix(3)) ?? 0
      }
    }
    if rest.isEmpty || rest == "Z" { return total }
    let sign: Int64
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hours = number(2), skip(":"), let minutes = number(2), rest.isEmpty, hours < 24, minutes < 60 else { return nil }
    return total - sign * Int64(hours * 3_600_000 + minutes * 60_000)
  }

  /// Days since 1970-01-01 to a date of the Gregorian calendar, by eras of 400 years that begin in March.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let part = (5 * dayOfYear + 2) / 153
    let month = part < 10 ? part + 3 : part - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
  }

  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
