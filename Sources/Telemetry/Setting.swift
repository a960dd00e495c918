/// The type of a setting's value in the profile.
public enum SettingType: Hashable, Sendable {
  /// `true` or `false`.
  case bool
  /// A whole number within a range.
  case integer(ClosedRange<Int>)
  /// A number.
  case number
  /// Any text.
  case text
  /// One text, or a list of texts.
  case texts
  /// `250ms`, `10s`, `5m`, `1h30m`, `7d`, within a range of milliseconds.
  case duration(ClosedRange<Int>)
  /// `4096`, `64KiB`, `256MiB`, `1GiB`, `1MB`; within a range of bytes.
  case size(ClosedRange<Int>)
  /// `1MiB/s`, or `unlimited`; bytes per second.
  case rate
  /// `80%` or `80`, within 0…100.
  case percent
  /// `75`, `75C`, `75°C` or `167F`; degrees Celsius.
  case temperature
  /// A list of glob patterns (`*` and `?`); a single text is a list of one.
  case patterns
  /// One of some words.
  case choice([String])
  /// Some of some words, as a list.
  case choices([String])
  /// A key of the user's own: `[a-z_][a-z0-9_]*`, at most 64 bytes.
  case key
  /// Some keys of the user's own, as a list.
  case keys
  /// A program by its absolute path and its arguments, as a list; a single text is a program without arguments.
  case command
  /// A file with a secret in its first line, by its absolute path, or `credential:NAME` for a systemd credential.
  case secretFile
  /// A map of keys of the user's own to texts.
  case map
  /// An I2C chip: a file under `hardware/chips`. The keys `address` and `options` of the same map are the chip's.
  case chip
  /// A list of maps, each with these keys: the devices, lines or targets of a sensor.
  case items([SettingSpec])
}

extension SettingType {
  /// What is written there, in a few words for the reference: `duration, 100ms to 1h`.
  public var summary: String {
    switch self {
    case .bool: "`true` or `false`"
    case .integer(let range): "whole number, \(range.lowerBound) to \(range.upperBound)"
    case .number: "number"
    case .text: "text"
    case .texts: "text, or a list of texts"
    case .duration(let range): "duration, \(Quantity.duration(range.lowerBound)) to \(Quantity.duration(range.upperBound))"
    case .size(let range):
      range.upperBound >= SettingType.largestSize
        ? "size, at least \(Quantity.size(range.lowerBound))"
        : "size, \(Quantity.size(range.lowerBound)) to \(Quantity.size(range.upperBound))"
    case .rate: "size per second, or `unlimited`"
    case .percent: "percentage"
    case .temperature: "temperature"
    case .patterns: "list of patterns (`*`, `?`)"
    case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
    case .choices(let words): "list of " + words.map { "`\($0)`" }.joined(separator: ", ")
    case .key: "lower-case letters, digits and `_`"
    case .keys: "list of keys"
    case .command: "list of a program's absolute path and its arguments"
    case .secretFile: "path of a file, or `credential:NAME`"
    case .map: "map of keys to values"
    case .chip: "chip, a file under `hardware/chips`"
    case .items: "list of maps, see below"
    }
  }

  /// The largest size that can be written, bytes: 8 TiB.
  public static let largestSize = 8 << 40
}

/// A setting's value, typed by its specification.
public enum SettingValue: Hashable, Sendable {
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case milliseconds(Int)
  case bytes(Int)
  case list([String])
  case map([String: String])
  case chip(ChipDevice)
  case items([Settings])
}

/// One key of a profile: its type, default and meaning. The reference documentation is made from these.
public struct SettingSpec: Hashable, Sendable {
  /// The key, lower-case snake case.
  public let key: String
  /// What values it takes.
  public let type: SettingType
  /// The default as it would be written in the profile; nil when there is none.
  public let fallback: String?
  /// One sentence for people.
  public let help: String
  /// Whether its map is wrong without it.
  public let isRequired: Bool

  /// Describes a key. A list's default is written with commas: `"loop*,ram*"`; an empty list is `""`.
  public init(_ key: String, _ type: SettingType, default fallback: String?, help: String) {
    self.key = key
    self.type = type
    self.fallback = fallback
    self.help = help
    isRequired = false
  }

  /// Describes a key that each map of a list must have.
  public init(required key: String, _ type: SettingType, help: String) {
    self.key = key
    self.type = type
    self.fallback = nil
    self.help = help
    isRequired = true
  }
}

/// The settings of one sensor: what the profile says over the defaults of the kind.
public struct Settings: Hashable, Sendable {
  private var values: [String: SettingValue]

  /// Takes the defaults of `specs`, then the given values over them.
  public init(_ specs: [SettingSpec], _ given: [String: SettingValue] = [:]) {
    values = [:]
    for spec in specs {
      if let fallback = spec.fallback, let value = try? spec.type.parse(fallback) { values[spec.key] = value }
    }
    values.merge(given) { _, new in new }
  }

  /// The value of a key, as typed by its specification.
  public subscript(key: String) -> SettingValue? { values[key] }

  /// A switch; false when unset.
  public func bool(_ key: String) -> Bool {
    if case .bool(let value) = values[key] { return value }
    return false
  }

  /// A whole number; 0 when unset.
  public func integer(_ key: String) -> Int {
    if case .integer(let value) = values[key] { return value }
    return 0
  }

  /// A number, percentage or temperature; 0 when unset.
  public func number(_ key: String) -> Double {
    if case .number(let value) = values[key] { return value }
    return 0
  }

  /// A size in bytes, or a rate in bytes per second; 0 when unset.
  public func bytes(_ key: String) -> Int {
    if case .bytes(let value) = values[key] { return value }
    return 0
  }

  /// A duration in milliseconds; 0 when unset.
  public func milliseconds(_ key: String) -> Int {
    if case .milliseconds(let value) = values[key] { return value }
    return 0
  }

  /// Text; empty when unset.
  public func text(_ key: String) -> String {
    if case .text(let value) = values[key] { return value }
    return ""
  }

  /// A list of words or patterns; empty when unset.
  public func list(_ key: String) -> [String] {
    if case .list(let value) = values[key] { return value }
    return []
  }

  /// A map of the user's own keys; empty when unset.
  public func map(_ key: String) -> [String: String] {
    if case .map(let value) = values[key] { return value }
    return [:]
  }

  /// A device with a chip; nil when unset.
  public func chip(_ key: String) -> ChipDevice? {
    if case .chip(let value) = values[key] { return value }
    return nil
  }

  /// The maps of a list, each with its defaults; empty when unset.
  public func items(_ key: String) -> [Settings] {
    if case .items(let value) = values[key] { return value }
    return []
  }

  /// Whether the key has a value, given or by default.
  public func isSet(_ key: String) -> Bool { values[key] != nil }
}
