import Platform
import Telemetry

/// The bounds of what is told of a machine.
enum MachineLimits {
  /// Bytes of one text.
  static let textBytes = 128
  /// Bytes of the names of a processor's features, all together.
  static let featureBytes = 2_048
  /// Processors that are looked at.
  static let processors = 1_024
  /// Disks, interfaces and memory modules that are listed, of each.
  static let devices = 32
  /// Addresses of one interface.
  static let addresses = 8
  /// Bytes of the firmware's tables.
  static let firmwareBytes = 256 * 1024
}

extension Host {
  /// The first line of a file as a fact: without what ends a text of the device tree and without control characters, at most
  /// `MachineLimits.textBytes`; nil when it is absent, empty, or what firmware says when nobody filled it in.
  func fact(_ path: String) -> String? { line(path).flatMap(MachineText.clean) }
}

/// Texts that firmware, drives and files hold.
enum MachineText {
  private static let placeholders = [
    "0", "0123456789", "default string", "invalid", "n/a", "none", "not applicable", "not available", "not specified", "o.e.m.",
    "system manufacturer", "system product name", "system serial number", "system version", "to be filled by o.e.m.", "unknown",
  ]

  /// Whether one text is in another, by bytes.
  static func has(_ part: StaticString, in text: String) -> Bool {
    ByteScanner.scan(text) { (text) in
      while !text.isAtEnd {
        if text.skip(part) { return true }
        if let byte = text.next { _ = text.skip(byte: byte) }
      }
      return false
    }
  }

  /// A text without anything that would not stay in a line; nil when it says nothing.
  static func clean(_ text: String) -> String? {
    var kept = ""
    var (count, needsBlank) = (0, false)
    for scalar in text.unicodeScalars {
      // A list of texts in the device tree has a zero after each: the first one counts.
      if scalar.value == 0 { break }
      if scalar.value <= 0x20 || (0x7F...0xA0).contains(scalar.value) {
        needsBlank = count > 0
        continue
      }
      count += UTF8.width(scalar) + (needsBlank ? 1 : 0)
      if count > MachineLimits.textBytes { break }
      if needsBlank { kept += " " }
      needsBlank = false
      kept.unicodeScalars.append(scalar)
    }
    return kept.isEmpty || placeholders.contains(kept.lowercased()) ? nil : kept
  }
}
