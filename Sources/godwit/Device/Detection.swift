import Platform
import Profile
import Sensors
import Telemetry

/// What was found on a device: its hardware, which board and HATs that is, and what each sensor reads.
struct Detection {
  let device: DeviceHardware
  let recognition: Recognition
  /// Files that describe hardware and have mistakes: they were not used.
  let problems: [ProfileProblem]
  let parts: [DeviceSampling.Part]
  /// The names of the I2C chips that are described.
  let chips: Set<String>
  /// Where chips are described, for entries that are checked.
  let folders: HardwareFolders

  /// Looks at a device: reads files, and samples every sensor twice. `isProbing`: also asks what is on the header's I2C bus.
  init(host: Host, folders: HardwareFolders, isProbing: Bool = false, intervalMilliseconds: Int = 100) {
    let known = HardwareCatalogue(folders: folders, catalogue: SensorCatalogue.kinds)
    var device = DeviceHardware(host: host)
    var recognition = Recognition(device, boards: known.boards, hats: known.hats)
    if isProbing, let bus = recognition.board?.i2cBus {
      device.probe(bus: bus)
      recognition = Recognition(device, boards: known.boards, hats: known.hats)
    }
    self.device = device
    self.recognition = recognition
    problems = known.problems
    chips = Set(folders.files("chips").keys)
    self.folders = folders
    let suggestions = Self.suggestions(recognition)
    var sampling = DeviceSampling(
      SensorCatalogue.all.map { (type: $0, settings: Self.settings(of: $0.kind, suggestions[$0.kind.name] ?? [])) }, host: host)
    sampling.sampleTwice(intervalMilliseconds: intervalMilliseconds)
    parts = sampling.parts
  }

  /// The board's or machine's name as the firmware says it.
  var model: String? { [device.model, device.dmiProduct].first { !$0.isEmpty } }

  /// Series that have a value.
  var values: [(series: Series, value: Double)] { parts.flatMap { $0.problem == nil ? $0.readings.sorted : [] } }

  /// What board and certain HATs suggest, by the kind of sensor.
  var suggestions: [String: [SuggestedSetting]] { Self.suggestions(recognition) }

  private static func suggestions(_ recognition: Recognition) -> [String: [SuggestedSetting]] {
    let all = (recognition.board?.suggestions ?? []) + recognition.hats.filter(\.isCertain).flatMap(\.hat.suggestions)
    var found: [String: [SuggestedSetting]] = [:]
    // Of two that say the same key the board's stands.
    for one in all where found[one.sensor]?.contains(where: { $0.key == one.key }) != true {
      found[one.sensor, default: []].append(one)
    }
    return found
  }

  /// The defaults of a kind with what is suggested; that was checked when the file was read.
  private static func settings(of kind: SensorKind, _ suggestions: [SuggestedSetting]) -> Settings {
    let lines = ["sensors:", "  \(kind.name): \(YAMLText.map(suggestions))"]
    let profile = try? Profile.parse(
      files: [("", Array(lines.map { $0 + "\n" }.joined().utf8))], catalogue: [kind],
      environment: ProfileEnvironment(hostName: "node"))
    return profile?.sensors.first?.settings ?? Settings(kind.settings)
  }

  /// Text of the device's that stays inside a comment.
  static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F && $0.value < 0xD800 }
          .prefix(HardwareLimits.textBytes)))
  }

  /// `boards/raspberrypi-5.yaml`: what of a path says which file it is.
  static func short(_ path: String) -> String { path.split(separator: "/").suffix(2).joined(separator: "/") }
}
