import Platform
import Telemetry

/// The devices of a sensor: sampled together, looked for anew when one came, went or woke up.
struct DeviceSet {
  private var devices: [(name: String, attributes: DeviceAttributes)] = []
  private var hotPlug: HotPlug
  private let directory: String
  private var wokeUp = false

  /// No devices yet; `directory` is the class that is watched for changes.
  init(host: Host, directory: String) {
    hotPlug = HotPlug(host: host, directory: directory)
    self.directory = directory
  }

  var isEmpty: Bool { devices.isEmpty }

  /// Counts one sample. Whether the devices must be found anew before it.
  mutating func mustLookAnew() -> Bool {
    let isDue = hotPlug.isDue()
    defer { wokeUp = false }
    return isDue || wokeUp
  }

  /// Takes the devices that were found, by names that stay the same; those known before go on where they were.
  mutating func replace(with found: [(name: String, attributes: DeviceAttributes)]) {
    let earlier = devices
    devices = found
    for index in devices.indices {
      if let known = earlier.first(where: { $0.name == devices[index].name }) {
        devices[index].attributes.adopt(known.attributes)
      }
    }
  }

  /// Reads them all.
  ///
  /// - Throws: `absent` when there are none any more; the first problem when nothing could be read.
  mutating func sample(into readings: inout Readings) throws(SensorError) {
    guard !devices.isEmpty else { throw .absent(directory) }
    var read = 0
    var vanished = false
    for index in devices.indices {
      let outcome = devices[index].attributes.sample(into: &readings)
      read += outcome.read
      if outcome.vanished { vanished = true }
      if outcome.wokeUp { wokeUp = true }
    }
    if vanished { hotPlug.deviceVanished() }
    if read == 0, let problem = readings.problem { throw problem }
  }
}
