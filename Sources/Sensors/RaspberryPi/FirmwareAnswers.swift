import Platform
import Telemetry

/// What the firmware's texts say, as vcgencmd prints them
/// (https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd).
enum FirmwareAnswers {
  /// `throttled=0x50005` → 0x50005.
  static func throttled(_ text: String) -> UInt64? {
    ByteScanner.scan(text) { text in text.skip("throttled=0x") ? text.hexadecimal() : nil }
  }

  /// `temp=48.3'C` → 48.3, `frequency(48)=1500398464` → 1500398464, `volt=0.8768V` → 0.8768.
  static func number(_ text: String) -> Double? {
    ByteScanner.scan(text) { text in
      _ = text.skip { $0 == 0x3D }
      return text.skip(byte: 0x3D) ? text.decimal() : nil
    }
  }

  /// The line `timestamp 1701887365` of `bootloader_version` → 1701887365.
  static func timestamp(_ text: String) -> Double? {
    ByteScanner.scan(text) { text in
      while !text.isAtEnd {
        if text.skip("timestamp ") { return text.unsigned().map { Double($0) } }
        text.skipLine()
      }
      return nil
    }
  }

  /// The first line of `version`, when the firmware was built: `2024/09/23 14:02:56` (Pi 5) or `Aug 30 2024 19:17:39`.
  /// It is British time without saying so: the same firmware gives 1727096576 (13:02:56 UTC) as its time stamp. Taken as UTC.
  static func buildSeconds(_ text: String) -> Double? {
    ByteScanner.scan(text) { text in
      let first = text.word()
      if first.utf8.count == 10 {
        let date = String(first.map { $0 == "/" ? "-" : $0 })
        return seconds("\(date) \(text.word())")
      }
      let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
      guard let month = months.firstIndex(of: first), let day = text.unsigned(), let year = text.unsigned() else { return nil }
      return seconds("\(year)-\(month < 9 ? "0" : "")\(month + 1)-\(day < 10 ? "0" : "")\(day) \(text.word())")
    }
  }

  private static func seconds(_ date: String) -> Double? { WallTime.milliseconds(date).map { Double($0) / 1_000 } }

  /// A supply rail of the power chip.
  struct Rail: Equatable {
    let name: String
    var volts: Double?
    var amperes: Double?
  }

  /// The most rails that are read; a Pi 5 has 14.
  static let rails = 32

  /// `pmic_read_adc`: lines such as ` VDD_CORE_A current(7)=2.16880000A` and ` VDD_CORE_V volt(15)=0.71620000V`. The two of a rail
  /// are paired by its name: their indices have nothing to do with each other.
  ///
  /// A value that no Raspberry Pi can have is no reading: then `isWhole` is false, and no sum is to be made.
  static func rails(_ text: String) -> (rails: [Rail], isWhole: Bool) {
    var rails: [Rail] = []
    var isWhole = true
    ByteScanner.scan(text) { text in
      while !text.isAtEnd {
        let word = text.word()
        text.skipBlanks()
        let isCurrent = text.skip("current(")
        if isCurrent || text.skip("volt("), word.utf8.count > 2 {
          _ = text.skip { $0 == 0x3D || $0 == 0x0A }
          let value = text.skip(byte: 0x3D) ? text.decimal() : nil
          // The 5 V input is the highest, the processor's current the largest; a channel at rest may read a little below zero.
          if let value, value >= -0.1, value <= (isCurrent ? 20 : 10) {
            add(String(word.dropLast(2)), max(value, 0), isCurrent: isCurrent, to: &rails)
          } else {
            isWhole = false
          }
        }
        text.skipLine()
      }
    }
    return (rails, isWhole)
  }

  private static func add(_ name: String, _ value: Double, isCurrent: Bool, to rails: inout [Rail]) {
    let known = rails.firstIndex { $0.name == name }
    if known == nil, rails.count == Self.rails { return }
    if known == nil { rails.append(Rail(name: name)) }
    let index = known ?? rails.count - 1
    if isCurrent { rails[index].amperes = value } else { rails[index].volts = value }
  }

  /// The power of the rails whose current is known, W; nil when there is none.
  static func power(_ rails: [Rail]) -> Double? {
    var sum: Double?
    for rail in rails {
      if let volts = rail.volts, let amperes = rail.amperes { sum = (sum ?? 0) + volts * amperes }
    }
    return sum
  }
}
