import Platform
import Telemetry

/// One modem: what its object tells, and its data sessions.
struct Modem {
  private static let modem = "org.freedesktop.ModemManager1.Modem"

  /// The object's path.
  let path: String
  let name: String
  private var state, registration, technology, operatorName: CurrentWord

  init(_ path: String, name: String) {
    (self.path, self.name) = (path, name)
    let label = [Label("modem", name)]
    state = CurrentWord(ModemMetrics.state, "state", label)
    registration = CurrentWord(ModemMetrics.registration, "registration", label)
    technology = CurrentWord(ModemMetrics.technology, "technology", label)
    operatorName = CurrentWord(ModemMetrics.operatorName, "operator", label)
  }

  /// Tells what its interfaces say: a dictionary of dictionaries.
  mutating func sample(_ bus: any DBus, _ interfaces: DBusValue, into readings: inout Readings) throws(SensorError) {
    guard let properties = interfaces["org.freedesktop.ModemManager1.Modem"], let number = properties["State"]?.number else {
      throw .malformed(path: path, what: "a modem without a state")
    }
    setState(number, properties, in: &readings)
    setRegistration(interfaces["org.freedesktop.ModemManager1.Modem.Modem3gpp"], in: &readings)
    if let signal = interfaces["org.freedesktop.ModemManager1.Modem.Signal"] { setSignal(signal, in: &readings) }
    try sampleBearers(bus, properties["Bearers"], into: &readings)
  }

  private func set(_ metric: Metric, _ value: Double?, _ readings: inout Readings) {
    if let value { readings.set(readings.slot(metric, [Label("modem", name)]), value) }
  }

  private mutating func setState(_ number: Double, _ properties: DBusValue, in readings: inout Readings) {
    state.set(ModemWords.state(number), in: &readings)
    // Without a radio link the last technology and quality are only remembered: from `registered` on.
    let isOnline = number >= 8
    technology.set(isOnline ? ModemWords.technology(properties["AccessTechnologies"]?.unsigned ?? 0) : nil, in: &readings)
    // (quality, whether it was taken recently)
    if isOnline, let quality = properties["SignalQuality"], let percent = quality.item(0)?.unsigned, percent <= 100,
      quality.item(1)?.unsigned == 1
    {
      set(ModemMetrics.quality, Double(percent), &readings)
    }
    set(ModemMetrics.failed, number == -1 ? 1 : 0, &readings)
    // MM_MODEM_STATE_FAILED_REASON_SIM_MISSING; MM_MODEM_STATE_LOCKED.
    set(ModemMetrics.simMissing, number == -1 && properties["StateFailedReason"]?.unsigned == 2 ? 1 : 0, &readings)
    set(ModemMetrics.simLocked, number == 2 ? 1 : 0, &readings)
  }

  private mutating func setRegistration(_ properties: DBusValue?, in readings: inout Readings) {
    guard let properties, let number = properties["RegistrationState"]?.unsigned else {
      registration.set(nil, in: &readings)
      operatorName.set(nil, in: &readings)
      return
    }
    let isRegistered = ModemWords.isRegistered(number)
    registration.set(ModemWords.registration(number), in: &readings)
    set(ModemMetrics.registered, isRegistered ? 1 : 0, &readings)
    var operatorText = properties["OperatorName"]?.label ?? ""
    if operatorText.isEmpty { operatorText = properties["OperatorCode"]?.label ?? "" }
    operatorName.set(isRegistered ? operatorText : nil, in: &readings)
  }

  /// Dictionaries of `rssi` and so on by radio, empty where signal polling is not set up.
  private func setSignal(_ signal: DBusValue, in readings: inout Readings) {
    func set(_ radio: String, _ values: DBusValue?) {
      guard let values else { return }
      let labels = [Label("modem", name), Label("radio", radio)]
      func set(_ metric: Metric, _ value: DBusValue?) {
        // What a modem does not know may be told as the least number there is.
        guard let number = value?.number, number > -300, number < 300 else { return }
        readings.set(readings.slot(metric, labels), number)
      }
      set(ModemMetrics.rssi, values["rssi"])
      set(ModemMetrics.rsrp, values["rsrp"])
      set(ModemMetrics.rscp, values["rscp"])
      set(ModemMetrics.rsrq, values["rsrq"])
      set(ModemMetrics.snr, values["snr"])
      set(ModemMetrics.ecio, values["ecio"])
    }
    set("gsm", signal["Gsm"])
    set("umts", signal["Umts"])
    set("lte", signal["Lte"])
    set("5g", signal["Nr5g"])
    set("cdma1x", signal["Cdma"])
    set("evdo", signal["Evdo"])
  }

  /// Data sessions are objects of their own, which the list of objects leaves out.
  private func sampleBearers(_ bus: any DBus, _ paths: DBusValue?, into readings: inout Readings) throws(SensorError) {
    guard let paths else { return }
    var received, sent, seconds, failures: Double?
    var isConnected = false
    for path in paths.items.prefix(ModemMetrics.mostBearers) {
      guard let text = path.text else { continue }
      let bearer: DBusValue
      do throws(SensorError) {
        bearer = try bus.properties(of: DBusObject(ModemSensor.service, text, "org.freedesktop.ModemManager1.Bearer"))
      } catch {
        // It went since it was listed.
        if case .absent = error { continue }
        throw error
      }
      let statistics = bearer["Stats"]
      failures = Self.sum(failures, statistics?["failed-attempts"])
      guard bearer["Connected"]?.unsigned == 1 else { continue }
      isConnected = true
      received = Self.sum(received, statistics?["rx-bytes"])
      sent = Self.sum(sent, statistics?["tx-bytes"])
      if let duration = statistics?["duration"]?.unsigned { seconds = max(seconds ?? 0, Double(duration)) }
    }
    set(ModemMetrics.connected, isConnected ? 1 : 0, &readings)
    set(ModemMetrics.failures, failures, &readings)
    set(ModemMetrics.received, received, &readings)
    set(ModemMetrics.sent, sent, &readings)
    set(ModemMetrics.duration, seconds, &readings)
  }

  /// Of what was told at all.
  private static func sum(_ sum: Double?, _ value: DBusValue?) -> Double? {
    value?.unsigned.map { Double($0) + (sum ?? 0) } ?? sum
  }
}
