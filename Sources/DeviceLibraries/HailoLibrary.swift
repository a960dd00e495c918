import CDeviceLibraries
public import Telemetry

/// HailoRT: temperatures, throttling, power, clock and identity of Hailo devices.
///
/// Devices stay open between samples; reading them does not claim them, so programs that run networks are not disturbed.
public struct HailoLibrary: DeviceLibrary {
  /// What the agent calls it.
  public static let name = "hailo"
  /// The file that the loader looks for.
  public static let file = "libhailort.so"

  private struct Device {
    let id: String
    let handle: godwit_hailo_device
    let model: String
    let firmware: String
    /// Boards without a power meter refuse; they are not asked for ever.
    var powerRefusals = 0
  }

  /// The versions whose structures were compared; see hailo.h.
  private static let versions: ClosedRange<UInt32> = 4...5
  private static let powerTries = 3

  private let library: godwit_hailo
  private var devices: [Device] = []

  /// Loads it and looks at its version.
  public init(path: String) throws(DeviceLibraryError) {
    var library = godwit_hailo()
    if let error = godwit_hailo_load(path, &library) { throw DeviceLibraryError(loading: path, String(cString: error)) }
    guard library.scan != nil, library.create != nil, library.release != nil, let version = library.version else {
      throw .failed("\(path): it lacks hailo_scan_devices, _create_device_by_id, _release_device or _get_library_version")
    }
    var found = godwit_hailo_version()
    guard version(&found) == GODWIT_HAILO_SUCCESS else { throw .failed("\(path): it does not tell its version") }
    guard Self.versions.contains(found.major) else {
      throw .failed("\(path): its version \(Self.text(found)) is none of those whose layout is known, 4 and 5")
    }
    self.library = library
  }

  /// Finds the devices unless they are open already, and reads each.
  public mutating func sample() -> LibraryAnswer {
    var answer = LibraryAnswer()
    if devices.isEmpty {
      do throws(DeviceLibraryError) { try open(noting: &answer) } catch { return error.answer }
    }
    var isLost = false
    for index in devices.indices where !read(&devices[index], into: &answer) { isLost = true }
    if isLost { close() }
    if answer.entries.isEmpty { answer.outcome = .failed(answer.problems.first ?? "no device gave a value") }
    return answer
  }

  private mutating func open(noting answer: inout LibraryAnswer) throws(DeviceLibraryError) {
    var ids = [godwit_hailo_id](repeating: godwit_hailo_id(), count: DeviceLibraryLimits.devices)
    var library = library
    let count = godwit_hailo_scan(&library, &ids, ids.count)
    switch -count {
    case 1...:
      if [GODWIT_HAILO_DRIVER_NOT_INSTALLED, GODWIT_HAILO_NOT_FOUND, GODWIT_HAILO_OUT_OF_PHYSICAL_DEVICES].contains(Int(-count)) {
        throw .absent("hailo_scan_devices: status \(-count)")
      }
      throw .failed("hailo_scan_devices: status \(-count)")
    case 0: throw .absent("hailo_scan_devices finds no device")
    default: break
    }
    for var id in ids.prefix(Int(count)) {
      var buffer = [CChar](repeating: 0, count: 33)
      godwit_hailo_id_text(&id, &buffer)
      let name = DeviceLibraries.text(buffer)
      var handle: godwit_hailo_device?
      let status = library.create(&id, &handle)
      guard status == GODWIT_HAILO_SUCCESS, let handle else {
        answer.note("\(name): hailo_create_device_by_id: status \(status)")
        continue
      }
      let identity = identity(of: handle)
      devices.append(Device(id: name, handle: handle, model: identity.model, firmware: identity.firmware))
    }
    if devices.isEmpty { throw .failed(answer.problems.first ?? "no device could be opened") }
  }

  private mutating func close() {
    for device in devices { _ = library.release(device.handle) }
    devices = []
  }

  /// Whether the device answered at all.
  private func read(_ device: inout Device, into answer: inout LibraryAnswer) -> Bool {
    let labels = [Label("device", device.id)]
    var answers = 0
    func add(_ metric: String, _ label: Label?, _ value: Double, in range: ClosedRange<Double>) {
      answers += 1
      guard range.contains(value) else { return answer.note("\(device.id): \(metric) cannot be \(value)") }
      answer.add(LibraryAnswer.Entry("accelerator.\(metric)", labels + (label.map { [$0] } ?? []), value))
    }
    var temperature = godwit_hailo_temperature()
    if let ask = library.temperature {
      let status = ask(device.handle, &temperature)
      if status == GODWIT_HAILO_SUCCESS {
        add("temperature_celsius", Label("sensor", "ts0"), Double(temperature.ts0), in: -60...200)
        add("temperature_celsius", Label("sensor", "ts1"), Double(temperature.ts1), in: -60...200)
      } else {
        answer.note("\(device.id): hailo_get_chip_temperature: status \(status)")
      }
    }
    var isThrottled = false
    if let ask = library.throttling, ask(device.handle, &isThrottled) == GODWIT_HAILO_SUCCESS {
      add("throttled", Label("reason", "protection"), isThrottled ? 1 : 0, in: 0...1)
    }
    var watts: Float = 0
    if device.powerRefusals < Self.powerTries, let ask = library.power {
      if ask(device.handle, Int32(GODWIT_HAILO_DVM_AUTO), Int32(GODWIT_HAILO_POWER), &watts) == GODWIT_HAILO_SUCCESS {
        device.powerRefusals = 0
        add("power_watts", nil, Double(watts), in: 0...500)
      } else {
        device.powerRefusals += 1
      }
    }
    var extended = godwit_hailo_extended()
    if let ask = library.extended, ask(device.handle, &extended) == GODWIT_HAILO_SUCCESS {
      add("clock_hertz", nil, Double(extended.clock), in: 0...10e9)
    }
    guard answers > 0 else { return false }
    answer.add(
      LibraryAnswer.Entry(
        "accelerator.info", labels + [Label("model", device.model), Label("firmware", device.firmware)], 1))
    return true
  }

  /// The board calls itself `Hailo-8` also where the chip is an 8L; its product's name, where it has one, says more.
  private func identity(of handle: godwit_hailo_device) -> (model: String, firmware: String) {
    var identity = godwit_hailo_identity()
    guard let ask = library.identify, ask(handle, &identity) == GODWIT_HAILO_SUCCESS else { return ("", "") }
    var board = [CChar](repeating: 0, count: 33)
    var product = [CChar](repeating: 0, count: 43)
    godwit_hailo_board_text(&identity, &board)
    godwit_hailo_product_text(&identity, &product)
    let name = DeviceLibraries.text(product)
    let model = name.isEmpty || name.hasPrefix("<") ? DeviceLibraries.text(board) : name
    return (model, Self.text(identity.firmware))
  }

  private static func text(_ version: godwit_hailo_version) -> String {
    "\(version.major).\(version.minor).\(version.revision)"
  }
}
