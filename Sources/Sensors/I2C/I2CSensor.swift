import Platform
public import Telemetry

/// The devices on I2C buses that a profile names, each by the description of its chip.
///
/// A device that fails costs only its own values. What a chip measures stands in `ChipQuantity`.
public struct I2CSensor: Sensor {
  private static let up = Metric(
    "i2c.device_up", unit: .none, labels: ["chip", "device"], help: "1 when a device and all its values were read, else 0.")
  private static let errors = Metric(
    "i2c.errors_total", unit: .none, kind: .counter, labels: ["chip", "device", "kind"],
    help: "Readings that failed: `nak`, `crc`, `busy`, `timeout`, `bus`, `identity`, `reading`, `description`.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "i2c", summary: "Devices on I2C buses, read as the files under hardware/chips say.",
    sources: ["/dev/i2c-* (Documentation/i2c/dev-interface.rst), hardware/chips/*.yaml"], lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec(
        "devices",
        .items([
          SettingSpec(required: "chip", .chip, help: "Which chip it is, `tmp102`."),
          SettingSpec("bus", .integer(0...255), default: "1", help: "The number of `/dev/i2c-N`."),
          SettingSpec("address", .text, default: nil, help: "As the board has it, `0x48`; the chip's first unless given."),
          SettingSpec("name", .text, default: nil, help: "The label `device`; `chip@address` unless given."),
          SettingSpec("options", .map, default: nil, help: "What the chip has to know of the board, `{shunt_ohms: 0.1}`."),
        ]), default: nil, help: "What is read.")
    ], metrics: ChipQuantity.all.map(\.metric) + [up, errors], bounds: bounds)

  private static func bounds(_ settings: Settings) -> [MetricBound] {
    let items = settings.items("devices")
    let known = items.compactMap { $0.chip("chip") }
    var bounds: [MetricBound] = [
      .named("device", of: [up, errors], in: "devices", items.map { $0.text("name") }),
      .named("chip", of: [up, errors], in: "devices", known.map(\.chip)),
    ]
    for quantity in ChipQuantity.all {
      var (names, channels): ([String], [String]) = ([], [])
      for item in items {
        switch item.chip("chip")?.description {
        case .known(let chip):
          let values = chip.values.filter { $0.quantity.name == quantity.name }
          if !values.isEmpty { names.append(item.text("name")) }
          channels += values.map(\.channel)
        // What its file would say cannot be told.
        default:
          names.append(item.text("name"))
          channels.append("*")
        }
      }
      bounds.append(.named("device", of: [quantity.metric], in: "devices", names))
      bounds.append(.named("channel", of: [quantity.metric], in: "devices", channels))
      bounds.append(.named("chip", of: [quantity.metric], in: "devices", known.map(\.chip)))
    }
    return bounds
  }

  /// A device and where its values go.
  private struct Part {
    let device: ChipDevice
    let bus: Int
    let labels: [Label]
    let up: Slot
    let slots: [Slot]
    let names: [String]
    /// Nil when the chip is not known.
    var program: ChipProgram?
    var counts: [String: Double] = [:]
  }

  private let host: Host
  private var parts: [Part] = []
  private var buses: [Int: any I2CBus] = [:]
  /// CLOCK_BOOTTIME, milliseconds; replaced in tests.
  var now: () -> Int64 = { SystemClock.bootMilliseconds }
  /// The device that the next sample begins with.
  private var first = 0

  /// Names the series; touches no bus.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    let isRecording = !host.root.isEmpty
    for item in settings.items("devices") {
      guard let device = item.chip("chip") else { continue }
      let labels = [Label("chip", device.chip), Label("device", item.text("name"))]
      var part = Part(
        device: device, bus: item.integer("bus"), labels: labels, up: readings.slot(Self.up, labels), slots: [], names: [])
      if case .known(let chip) = device.description {
        part = Part(
          device: device, bus: part.bus, labels: labels, up: part.up,
          slots: chip.values.map { readings.slot($0.quantity.metric, labels + [Label("channel", $0.channel)]) },
          names: chip.values.map { "\($0.quantity.name).\($0.channel)" },
          program: ChipProgram(chip, device: device) { if !isRecording { Thread.sleep(milliseconds: $0) } })
      }
      parts.append(part)
    }
    guard !parts.isEmpty else { throw .absent("no devices are named") }
  }

  /// Reads each device once. When the time is up, the rest is read first in the next sample, so that a chip that hangs costs no other
  /// one its turn for ever.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let end = now() + I2CLimits.sampleMilliseconds
    var next: Int?
    for offset in parts.indices {
      let index = (first + offset) % parts.count
      if offset > 0, next != nil || now() > end {
        next = next ?? index
        note(.noTime, index, into: &readings)
      } else {
        sample(index, into: &readings)
      }
    }
    first = next ?? first
  }

  private mutating func sample(_ index: Int, into readings: inout Readings) {
    do throws(ChipFault) {
      let values = try read(index)
      var isWhole = true
      for (place, value) in values.enumerated() {
        switch value {
        case .success(let number): readings.set(parts[index].slots[place], number)
        case .failure(let fault):
          isWhole = false
          count(fault, index, "\(parts[index].names[place]): ", into: &readings)
        }
      }
      readings.set(parts[index].up, isWhole ? 1 : 0)
      report(index, into: &readings)
    } catch {
      note(error, index, into: &readings)
    }
  }

  private mutating func read(_ index: Int) throws(ChipFault) -> [Result<Double, ChipFault>] {
    if case .unknown(let why) = parts[index].device.description { throw .description(why) }
    let number = parts[index].bus
    let bus: any I2CBus
    do throws(I2CError) {
      if let open = buses[number] { bus = open } else { bus = try host.i2cBus(number) }
    } catch {
      throw .bus(error)
    }
    buses[number] = bus
    do throws(ChipFault) {
      return try parts[index].program?.read(bus) ?? []
    } catch {
      // An adapter that was unplugged, as one on USB may be: its node is opened anew.
      if case .bus(.absent) = error { buses[number] = nil }
      if case .bus(.io) = error { buses[number] = nil }
      throw error
    }
  }

  /// A device without values in this sample.
  private mutating func note(_ fault: ChipFault, _ index: Int, into readings: inout Readings) {
    readings.set(parts[index].up, 0)
    count(fault, index, "", into: &readings)
    report(index, into: &readings)
  }

  private mutating func count(_ fault: ChipFault, _ index: Int, _ value: String, into readings: inout Readings) {
    parts[index].counts[fault.kind, default: 0] += 1
    let part = parts[index]
    var place = part.labels[1].value
    if part.device.address != 0 { place += " (bus \(part.bus), \(ChipDevice.text(address: part.device.address)))" }
    readings.note(.device(place, what: "\(value)\(fault)"))
  }

  private func report(_ index: Int, into readings: inout Readings) {
    for (kind, count) in parts[index].counts {
      readings.set(readings.slot(Self.errors, parts[index].labels + [Label("kind", kind)]), count)
    }
  }
}
