import CDeviceLibraries
public import Telemetry

/// NVML: what NVIDIA's driver tells of its GPUs.
///
/// It stays initialised between samples: starting it takes the driver up to seconds.
public struct NVMLLibrary: DeviceLibrary {
  /// What the agent calls it.
  public static let name = "nvidia"
  /// The file that the loader looks for.
  public static let file = "libnvidia-ml.so.1"

  private let library: godwit_nvml
  private let count: UInt32
  private let driver: String
  private var processNames = NVMLProcessNames()

  /// Loads and initialises it.
  public init(path: String) throws(DeviceLibraryError) {
    var library = godwit_nvml()
    if let error = godwit_nvml_load(path, &library) { throw DeviceLibraryError(loading: path, String(cString: error)) }
    guard let start = library.`init`, let counter = library.count, library.device != nil else {
      throw .failed("\(path): it lacks nvmlInit_v2, nvmlDeviceGetCount_v2 or nvmlDeviceGetHandleByIndex_v2")
    }
    let status = start()
    switch Int(status) {
    case GODWIT_NVML_SUCCESS: break
    case GODWIT_NVML_DRIVER_NOT_LOADED, GODWIT_NVML_LIBRARY_NOT_FOUND, GODWIT_NVML_GPU_NOT_FOUND:
      throw .absent("nvmlInit_v2: \(Self.meaning(status))")
    default: throw .failed("nvmlInit_v2: \(Self.meaning(status))")
    }
    var count: UInt32 = 0
    let counted = counter(&count)
    guard counted == GODWIT_NVML_SUCCESS else { throw .failed("nvmlDeviceGetCount_v2: \(Self.meaning(counted))") }
    if count == 0 { throw .absent("nvmlDeviceGetCount_v2 finds no GPU") }
    var version = [CChar](repeating: 0, count: 96)
    let isTold = library.driver_version.map { $0(&version, 80) == GODWIT_NVML_SUCCESS } ?? false
    self.library = library
    self.count = count
    driver = isTold ? DeviceLibraries.text(version) : ""
  }

  /// Reads every GPU. Where none can be read, the process has to begin anew: the driver may have been restarted.
  public mutating func sample() -> LibraryAnswer {
    var answer = LibraryAnswer()
    if count > UInt32(DeviceLibraryLimits.devices) {
      answer.note("nvmlDeviceGetCount_v2 says \(count) GPUs; \(DeviceLibraryLimits.devices) are read")
    }
    for index in 0..<min(count, UInt32(DeviceLibraryLimits.devices)) {
      var device: godwit_nvml_device?
      let status = library.device(index, &device)
      guard status == GODWIT_NVML_SUCCESS, let device else {
        answer.note("GPU \(index): \(Self.meaning(status))")
        continue
      }
      var reading = NVMLReading(library, device, index: index)
      reading.readAll(driver: driver, &processNames)
      for entry in reading.entries { answer.add(entry) }
      for problem in reading.problems { answer.note(problem) }
    }
    processNames.forgetGone()
    if answer.entries.isEmpty { answer.outcome = .failed(answer.problems.first ?? "no GPU gave a value") }
    return answer
  }

  /// What a status means, for people.
  static func meaning(_ status: Int32) -> String {
    switch Int(status) {
    case GODWIT_NVML_NO_PERMISSION: "no permission"
    case GODWIT_NVML_DRIVER_NOT_LOADED: "the driver is not loaded"
    case GODWIT_NVML_GPU_IS_LOST: "the GPU has fallen off the bus"
    case GODWIT_NVML_RESET_REQUIRED: "the GPU needs a reset"
    case 18: "driver and library are of different versions"
    default: "status \(status)"
    }
  }

  /// Whether a status says that this GPU, driver or library has no such value: nothing is wrong then.
  static func isLacking(_ status: Int32) -> Bool {
    [
      GODWIT_NVML_NOT_SUPPORTED, GODWIT_NVML_NO_PERMISSION, GODWIT_NVML_NOT_FOUND, GODWIT_NVML_FUNCTION_NOT_FOUND,
      GODWIT_NVML_NO_DATA, GODWIT_NVML_ARGUMENT_VERSION_MISMATCH,
    ].contains(Int(status))
  }
}
