import CDeviceLibraries
import Telemetry

/// One GPU in one sample. Every value stands for itself: one that the GPU, the driver or the library does not have is missing.
struct NVMLReading {
  private static let clocks: [(index: UInt32, name: String)] = [(0, "graphics"), (1, "sm"), (2, "memory"), (3, "video")]

  /// The bits of nvmlClocksEventReasons that hold clocks down; not those that say idle or set by the user.
  private static let reasons: [(mask: UInt64, name: String)] = [
    (0x04, "power"), (0x20 | 0x40, "thermal"), (0x08, "hardware"), (0x80, "power_brake"), (0x10, "sync_boost"),
  ]

  /// Transfers per second and lane of PCIe's generations.
  private static let linkSpeeds = [2.5e9, 5e9, 8e9, 16e9, 32e9, 64e9]

  private(set) var entries: [LibraryAnswer.Entry] = []
  private(set) var problems: [String] = []
  private let nvml: godwit_nvml
  private let device: godwit_nvml_device
  private let gpu: String
  private var isLost = false

  init(_ nvml: godwit_nvml, _ device: godwit_nvml_device, index: UInt32) {
    (self.nvml, self.device) = (nvml, device)
    var pci = godwit_nvml_pci()
    let isTold = nvml.pci.map { $0(device, &pci) == GODWIT_NVML_SUCCESS } ?? false
    func hex(_ number: UInt32, _ digits: Int) -> String {
      let text = String(number, radix: 16)
      return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }
    gpu = isTold ? "\(hex(pci.domain, 4)):\(hex(pci.bus, 2)):\(hex(pci.device, 2)).0" : "nvidia\(index)"
  }

  mutating func readAll(driver: String, _ names: inout NVMLProcessNames) {
    readLoad()
    readHeat()
    readClocks()
    readErrors()
    readLink()
    readProcesses(&names)
    guard !entries.isEmpty else { return }
    var name = [CChar](repeating: 0, count: 96)
    _ = nvml.name?(device, &name, 95)
    add("info", [Label("model", text(name)), Label("driver", driver), Label("firmware", "")], 1, in: 1...1)
  }

  private mutating func add(_ metric: String, _ value: Double, in range: ClosedRange<Double>) {
    add(metric, [], value, in: range)
  }

  /// What no GPU can say is a problem, and no value.
  private mutating func add(_ metric: String, _ labels: [Label], _ value: Double, in range: ClosedRange<Double>) {
    guard range.contains(value) else { return note("\(metric) cannot be \(value)") }
    entries.append(LibraryAnswer.Entry("gpu.\(metric)", [Label("gpu", gpu)] + labels, value))
  }

  private mutating func note(_ problem: String) {
    if problems.count < 8 { problems.append("\(gpu): \(problem)") }
  }

  /// Whether a call gave its value. A GPU that is lost says so to each; once is enough.
  private mutating func took(_ status: Int32?, _ call: String) -> Bool {
    guard let status else { return false }
    if status == GODWIT_NVML_SUCCESS { return true }
    if !NVMLLibrary.isLacking(status), !isLost {
      isLost = Int(status) == GODWIT_NVML_GPU_IS_LOST
      note("\(call): \(NVMLLibrary.meaning(status))")
    }
    return false
  }

  private mutating func number(_ call: godwit_nvml_number?, _ name: String) -> Double? {
    var value: UInt32 = 0
    return took(call?(device, &value), name) ? Double(value) : nil
  }

  private mutating func number(_ call: godwit_nvml_choice?, _ choice: UInt32, _ name: String) -> Double? {
    var value: UInt32 = 0
    return took(call?(device, choice, &value), name) ? Double(value) : nil
  }

  private mutating func readLoad() {
    var utilization = godwit_nvml_utilization()
    if took(nvml.utilization?(device, &utilization), "utilization") {
      add("usage_percent", Double(utilization.gpu), in: 0...100)
      add("memory_busy_percent", Double(utilization.memory), in: 0...100)
    }
    for (call, name) in [(nvml.encoder, "encoder"), (nvml.decoder, "decoder")] {
      var (percent, microseconds): (UInt32, UInt32) = (0, 0)
      if took(call?(device, &percent, &microseconds), name) {
        add("engine_usage_percent", [Label("engine", name)], Double(percent), in: 0...100)
      }
    }
    readMemory()
  }

  /// The second form leaves what the driver keeps for itself out of the used memory, as nvidia-smi does.
  private mutating func readMemory() {
    var memory = godwit_nvml_memory()
    var second = godwit_nvml_memory_v2()
    second.version = UInt32(MemoryLayout<godwit_nvml_memory_v2>.size) | 2 << 24
    if let call = nvml.memory_v2, call(device, &second) == GODWIT_NVML_SUCCESS {
      (memory.total, memory.used) = (second.total, second.used)
    } else if !took(nvml.memory?(device, &memory), "memory") {
      return
    }
    guard memory.total > 0, memory.used <= memory.total, memory.total < 1 << 50 else {
      return note("memory cannot be \(memory.used) of \(memory.total) bytes")
    }
    add("memory_used_bytes", Double(memory.used), in: 0...0x1p50)
    add("memory_total_bytes", Double(memory.total), in: 0...0x1p50)
    add("memory_usage_percent", Double(memory.used) / Double(memory.total) * 100, in: 0...100)
  }

  private mutating func readHeat() {
    let sensor = Label("sensor", "gpu")
    // The calls take an unsigned number; below 0 °C it wraps.
    if let raw = number(nvml.temperature, 0, "temperature") {
      add("temperature_celsius", [sensor], Double(Int32(truncatingIfNeeded: Int64(raw))), in: -60...200)
    }
    if let limit = number(nvml.threshold, 1, "temperature threshold") {
      add("temperature_critical_celsius", [sensor], limit, in: 1...200)
    }
    if let milliwatts = number(nvml.power, "power") { add("power_watts", milliwatts / 1000, in: 0...5000) }
    if let milliwatts = number(nvml.power_limit, "power limit") { add("power_limit_watts", milliwatts / 1000, in: 0...5000) }
    let fans = number(nvml.fans, "fans").map { Int(min($0, Double(DeviceLibraryLimits.fans))) }
    if let fans, nvml.fan_v2 != nil {
      for fan in 0..<fans {
        guard let percent = number(nvml.fan_v2, UInt32(fan), "fan") else { continue }
        add("fan_percent", [Label("fan", "fan\(fan + 1)")], percent, in: 0...200)
      }
    } else if let percent = number(nvml.fan, "fan") {
      add("fan_percent", [Label("fan", "fan1")], percent, in: 0...200)
    }
  }

  private mutating func readClocks() {
    for clock in Self.clocks {
      let label = [Label("clock", clock.name)]
      if let megahertz = number(nvml.clock, clock.index, "clock") { add("clock_hertz", label, megahertz * 1e6, in: 0...1e11) }
      if let megahertz = number(nvml.clock_max, clock.index, "highest clock") {
        add("clock_max_hertz", label, megahertz * 1e6, in: 0...1e11)
      }
    }
    var bits: UInt64 = 0
    guard took(nvml.throttle?(device, &bits), "clock event reasons") else { return }
    for reason in Self.reasons {
      add("throttled", [Label("reason", reason.name)], bits & reason.mask != 0 ? 1 : 0, in: 0...1)
    }
  }

  private mutating func readErrors() {
    for (type, kind) in [(UInt32(0), "corrected"), (1, "uncorrected")] {
      var count: UInt64 = 0
      if took(nvml.ecc?(device, type, 0, &count), "ECC errors") {
        add("ecc_errors", [Label("kind", kind)], Double(count), in: 0...0x1p53)
      }
    }
  }

  private mutating func readLink() {
    func speed(_ generation: Double) -> Double? {
      Self.linkSpeeds.indices.contains(Int(generation) - 1) ? Self.linkSpeeds[Int(generation) - 1] : nil
    }
    if let width = number(nvml.link_width, "link width") { add("pcie_link_width", width, in: 0...32) }
    if let width = number(nvml.link_width_max, "highest link width") { add("pcie_link_width_max", width, in: 0...32) }
    if let generation = number(nvml.link_generation, "link generation"), let speed = speed(generation) {
      add("pcie_link_transfers_per_second", speed, in: 0...1e12)
    }
    if let generation = number(nvml.link_generation_max, "highest link generation"), let speed = speed(generation) {
      add("pcie_link_transfers_per_second_max", speed, in: 0...1e12)
    }
  }

  private mutating func readProcesses(_ names: inout NVMLProcessNames) {
    var memory: [UInt32: UInt64] = [:]
    var isKnown = false
    let lists = [(nvml.compute, nvml.compute_v1, "compute processes"), (nvml.graphics, nvml.graphics_v1, "graphics processes")]
    for (call, first, what) in lists {
      guard let (status, list) = NVMLProcessNames.list(device, call, first), took(status, what) else { continue }
      isKnown = true
      // A process may be in both lists; all ones is "not available", as in a container without rights.
      for process in list {
        let bytes = process.memory == .max ? 0 : process.memory
        memory[process.pid] = max(memory[process.pid] ?? 0, bytes)
      }
    }
    guard isKnown else { return }
    add("processes", Double(memory.count), in: 0...1e6)
    for (name, bytes) in names.sums(memory, nvml) {
      add("process_memory_bytes", [Label("process", name)], bytes, in: 0...0x1p50)
    }
  }
}
