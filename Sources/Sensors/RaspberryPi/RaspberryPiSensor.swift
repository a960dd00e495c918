import Platform
public import Telemetry

/// What the firmware of a Raspberry Pi knows: throttling, under-voltage, temperature, clocks, voltages, the power chip's rails.
///
/// The kernel's hwmon driver asks the firmware every 2 s and clears the bits that say "has occurred" (drivers/hwmon/raspberrypi-
/// hwmon.c), so they are collected here. The fan is in `hwmon`, how hard it works in `thermal`.
public struct RaspberryPiSensor: Sensor {
  private static func metric(_ name: String, _ unit: Unit, _ decimals: Int, _ labels: [String], _ help: String) -> Metric {
    Metric("raspberrypi.\(name)", unit: unit, decimals: decimals, labels: labels, help: help)
  }

  private static let throttled = metric(
    "throttled", .none, 0, ["reason"], "1 while the firmware holds the board back, or its supply is too low; else 0.")
  private static let throttledSinceBoot = metric(
    "throttled_since_boot", .none, 0, ["reason"],
    "1 when that was so at any time since boot, as far as the firmware remembers or this agent saw it since it runs.")
  private static let temperature = metric("temperature_celsius", .celsius, 1, [], "The processor's temperature, by the firmware.")
  private static let clock = metric("clock_hertz", .hertz, 0, ["clock"], "Frequency as the firmware measures it.")
  private static let voltage = metric("voltage_volts", .volts, 4, ["domain"], "Voltage that the firmware has set.")
  private static let railVoltage = metric(
    "rail_volts", .volts, 4, ["rail"], "Voltage of a rail of the power chip (Raspberry Pi 5).")
  private static let railCurrent = metric("rail_amperes", .amperes, 4, ["rail"], "Current of a rail of the power chip.")
  private static let power = metric(
    "board_power_estimate_watts", .watts, 2, [],
    "Estimate: the power of all rails with a known current. Without the chip's losses and what hangs on 5 V (USB, HATs, fan).")
  private static let firmwareTime = metric(
    "firmware_timestamp_seconds", .seconds, 0, [],
    "When the firmware was built, Unix time; an hour off in summer, for its date comes without a time zone.")
  private static let bootloaderTime = metric(
    "bootloader_timestamp_seconds", .seconds, 0, [], "When the bootloader in the EEPROM was built, Unix time.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "raspberrypi",
    summary: "Throttling, under-voltage, clocks, voltages and power rails of a Raspberry Pi, by its firmware.",
    sources: [
      "/dev/vcio_gencmd, else /dev/vcio: the commands of vcgencmd (raspberrypi.com/documentation/computers/os.html#vcgencmd)",
      "in0_lcrit_alarm of the hwmon chip rpi_volt (drivers/hwmon/raspberrypi-hwmon.c)",
    ],
    lane: .slow, everySeconds: 2,
    settings: [
      SettingSpec(
        "details_every", .duration(0...86_400_000), default: "10s",
        help: "How often all but the throttle flags is read; the values are repeated in between."),
      SettingSpec(
        "clocks", .choices(["arm", "core", "h264", "isp", "v3d", "uart", "pwm", "emmc", "pixel", "vec", "hdmi", "dpi"]),
        default: "arm,core,v3d", help: "The clocks that are measured."),
      SettingSpec(
        "voltages", .choices(["core", "sdram_c", "sdram_i", "sdram_p"]), default: "core", help: "The voltages that are asked for."
      ),
    ],
    metrics: [
      throttled, throttledSinceBoot, temperature, clock, voltage, railVoltage, railCurrent, power, firmwareTime, bootloaderTime,
    ],
    bounds: { settings in
      [
        .label("reason", of: [throttled, throttledSinceBoot], is: reasons),
        .named("clock", of: [clock], in: "clocks", settings.list("clocks")),
        .named("domain", of: [voltage], in: "voltages", settings.list("voltages")),
      ]
    })

  /// In the order of the firmware's bits: 0…3 now, 16…19 since boot.
  private static let reasons = ["under_voltage", "frequency_capped", "throttled", "soft_temperature_limit"]

  private let calls: any HostCalls
  private let clocks, voltages: [String]
  private let detailsNanoseconds: Int64
  private let alarm: HostFile?
  private let hasMailbox: Bool
  /// What keeps the mailbox shut, when something does.
  private var barred: SensorError?
  /// Which of the four were seen, by bit.
  private var history: UInt64 = 0
  private var details: [(slot: Slot, value: Double)] = []
  private var constants: [(slot: Slot, value: Double)] = []
  private var detailedAt: Int64?

  /// Finds the mailbox, else the kernel's alarm for under-voltage.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    calls = context.host.calls
    clocks = settings.list("clocks")
    voltages = settings.list("voltages")
    detailsNanoseconds = Int64(settings.milliseconds("details_every")) * 1_000_000
    let chip = (try? HwmonChip.all(on: context.host))?.first { $0.driver == "rpi_volt" }
    alarm = chip.map { context.host.file("\($0.directory)/in0_lcrit_alarm") }
    do {
      _ = try calls.firmwareCommand("get_throttled")
      hasMailbox = true
    } catch {
      hasMailbox = false
      if case .absent = error {} else { barred = error }
      if alarm == nil { throw error }
      return
    }
    if let seconds = (try? calls.firmwareCommand("version")).flatMap(FirmwareAnswers.buildSeconds) {
      constants.append((readings.slot(Self.firmwareTime), seconds))
    }
    // Boards before the Raspberry Pi 4 have no EEPROM and do not know the command.
    if let seconds = (try? calls.firmwareCommand("bootloader_version")).flatMap(FirmwareAnswers.timestamp) {
      constants.append((readings.slot(Self.bootloaderTime), seconds))
    }
  }

  /// Asks for the flags, and for all else when that is due.
  ///
  /// - Throws: when nothing could be read and no history would be lost with this sensor.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if let barred { readings.note(barred) }
    let wasRead = sampleFlags(into: &readings)
    if hasMailbox {
      if detailedAt.map({ readings.nanoseconds - $0 >= detailsNanoseconds }) ?? true {
        detailedAt = readings.nanoseconds
        details.removeAll(keepingCapacity: true)
        sampleDetails(into: &readings)
      }
      for (slot, value) in details { readings.set(slot, value) }
      for (slot, value) in constants { readings.set(slot, value) }
    }
    if !wasRead, details.isEmpty, history == 0, let problem = readings.problem { throw problem }
  }

  private mutating func sampleFlags(into readings: inout Readings) -> Bool {
    var now: UInt64?
    var seen: UInt64 = 0
    if hasMailbox {
      let calls = calls
      readings.attempt { (_) throws(SensorError) in
        guard let flags = FirmwareAnswers.throttled(try calls.firmwareCommand("get_throttled")) else {
          throw .malformed(path: "get_throttled", what: "no flags in the answer")
        }
        (now, seen) = (flags & 0xF, flags >> 16 & 0xF)
      }
    }
    var isLow: Bool?
    if let alarm {
      // What the driver found in its last 2 s.
      readings.attempt { (_) throws(SensorError) in isLow = try alarm.integer().map { $0 != 0 } }
    }
    if isLow == true { seen |= 1 }
    history |= seen | (now ?? 0)
    for (bit, reason) in Self.reasons.enumerated() where hasMailbox || bit == 0 {
      let label = [Label("reason", reason)]
      if let now {
        readings.set(readings.slot(Self.throttled, label), now >> UInt64(bit) & 1 != 0 ? 1 : 0)
      } else if bit == 0, let isLow {
        readings.set(readings.slot(Self.throttled, label), isLow ? 1 : 0)
      }
      if now != nil || isLow != nil && bit == 0 || history >> UInt64(bit) & 1 != 0 {
        readings.set(readings.slot(Self.throttledSinceBoot, label), history >> UInt64(bit) & 1 != 0 ? 1 : 0)
      }
    }
    return now != nil || isLow != nil
  }

  private mutating func sampleDetails(into readings: inout Readings) {
    ask("measure_temp", Self.temperature, [], into: &readings)
    for clock in clocks { ask("measure_clock \(clock)", Self.clock, [Label("clock", clock)], into: &readings) }
    for domain in voltages { ask("measure_volts \(domain)", Self.voltage, [Label("domain", domain)], into: &readings) }
    var answer: String?
    let calls = calls
    readings.attempt { (_) throws(SensorError) in answer = try calls.firmwareCommand("pmic_read_adc") }
    guard let answer else { return }
    let (rails, isWhole) = FirmwareAnswers.rails(answer)
    if !isWhole || rails.isEmpty { readings.note(.malformed(path: "pmic_read_adc", what: "values that no rail can have")) }
    for rail in rails {
      let label = [Label("rail", rail.name)]
      if let volts = rail.volts { details.append((readings.slot(Self.railVoltage, label), volts)) }
      if let amperes = rail.amperes { details.append((readings.slot(Self.railCurrent, label), amperes)) }
    }
    if isWhole, let watts = FirmwareAnswers.power(rails) { details.append((readings.slot(Self.power), watts)) }
  }

  /// One number. A command that this firmware does not know is no problem.
  private mutating func ask(_ command: String, _ metric: Metric, _ labels: [Label], into readings: inout Readings) {
    do throws(SensorError) {
      guard let value = FirmwareAnswers.number(try calls.firmwareCommand(command)) else {
        throw .malformed(path: command, what: "no number in the answer")
      }
      details.append((readings.slot(metric, labels), value))
    } catch {
      if case .absent = error { return }
      readings.note(error)
    }
  }
}
