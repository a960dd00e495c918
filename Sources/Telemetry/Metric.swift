/// How a metric's value behaves over time.
public enum MetricKind: String, Sendable, CaseIterable {
  /// A level that goes up and down: a temperature, a share, a rate.
  case gauge
  /// A total that only grows until its source restarts.
  case counter
}

/// The physical unit of a metric's value, written as UCUM-like text.
public enum Unit: String, Sendable, CaseIterable {
  case none = ""
  case percent = "%"
  case bytes = "B"
  case bytesPerSecond = "B/s"
  case bitsPerSecond = "bit/s"
  case perSecond = "1/s"
  case secondsPerSecond = "s/s"
  case seconds = "s"
  case milliseconds = "ms"
  case hertz = "Hz"
  case celsius = "°C"
  case volts = "V"
  case amperes = "A"
  case watts = "W"
  case joules = "J"
  case revolutionsPerMinute = "rpm"
  case pascals = "Pa"
  case decibelMilliwatts = "dBm"
  case decibels = "dB"
}

/// What a sensor can measure: a name, a unit and what the number means. Its instances are `Series`.
public struct Metric: Hashable, Sendable {
  /// `family.quantity_unit`, lower case, for example `thermal.temperature_celsius`.
  public let name: String
  /// The unit of every value.
  public let unit: Unit
  /// Gauge or counter.
  public let kind: MetricKind
  /// Digits after the decimal point that are kept (0…9): no sensor is more exact than this, and it keeps storage and wire small.
  public let decimals: Int
  /// The label keys that tell instances apart, in canonical order.
  public let labels: [String]
  /// One sentence for people.
  public let help: String

  /// Describes a metric. `decimals` is clamped to 0…9.
  public init(
    _ name: String, unit: Unit, kind: MetricKind = .gauge, decimals: Int = 0, labels: [String] = [], help: String
  ) {
    self.name = name
    self.unit = unit
    self.kind = kind
    self.decimals = min(max(decimals, 0), 9)
    self.labels = labels
    self.help = help
  }
}

/// One label of a series: `zone="cpu-thermal"`.
public struct Label: Hashable, Sendable, Comparable {
  /// The key, lower-case snake case.
  public let key: String
  /// The value, any text.
  public let value: String

  /// Makes a label.
  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }

  /// Canonical order: by key, then by value.
  public static func < (left: Label, right: Label) -> Bool {
    (left.key, left.value) < (right.key, right.value)
  }
}

/// A metric of one instance: what a column of samples belongs to.
public struct Series: Hashable, Sendable {
  /// What is measured.
  public let metric: Metric
  /// On which instance; sorted by key.
  public let labels: [Label]
  /// `name{key="value",…}`, the canonical text on the wire, in files and in rules.
  public let key: String

  /// Names a series; labels may come in any order.
  public init(_ metric: Metric, _ labels: [Label] = []) {
    self.metric = metric
    self.labels = labels.sorted()
    self.key = Series.key(name: metric.name, labels: self.labels)
  }

  /// The value of a label, or nil.
  public func label(_ key: String) -> String? {
    labels.first { $0.key == key }?.value
  }

  /// The canonical text of a series; quote, backslash and line feed are escaped as in OpenMetrics.
  public static func key(name: String, labels: [Label]) -> String {
    guard !labels.isEmpty else { return name }
    var text = name + "{"
    for (position, label) in labels.enumerated() {
      if position > 0 { text += "," }
      text += label.key
      text += "=\""
      for character in label.value.unicodeScalars {
        switch character {
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        case "\n": text += "\\n"
        default: text.unicodeScalars.append(character)
        }
      }
      text += "\""
    }
    return text + "}"
  }
}
