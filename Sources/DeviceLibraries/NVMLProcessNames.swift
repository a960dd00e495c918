import CDeviceLibraries

/// The names of processes that use a GPU, asked for once each.
struct NVMLProcessNames {
  private var names: [UInt32: String] = [:]
  private var seen: Set<UInt32> = []

  /// The memory of all processes of a name, the largest first; those without memory are left out.
  mutating func sums(_ memory: [UInt32: UInt64], _ nvml: godwit_nvml) -> [(name: String, bytes: Double)] {
    var sums: [String: Double] = [:]
    for (pid, bytes) in memory where bytes > 0 { sums[name(of: pid, nvml), default: 0] += Double(bytes) }
    let sorted = sums.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let rest = sorted.dropFirst(DeviceLibraryLimits.processNames).reduce(0) { $0 + $1.value }
    return sorted.prefix(DeviceLibraryLimits.processNames).map { (name: $0.key, bytes: $0.value) }
      + (rest > 0 ? [(name: "other", bytes: rest)] : [])
  }

  /// Ends a sample: a number that was not seen in it may be given to another process.
  mutating func forgetGone() {
    names = names.filter { seen.contains($0.key) }
    seen = []
  }

  /// The program's file without its folder; the number where the driver does not tell, as for a process in another container.
  private mutating func name(of pid: UInt32, _ nvml: godwit_nvml) -> String {
    seen.insert(pid)
    if let known = names[pid] { return known }
    var buffer = [CChar](repeating: 0, count: 1025)
    let isTold = nvml.process_name.map { $0(pid, &buffer, 1024) == GODWIT_NVML_SUCCESS } ?? false
    let whole = text(buffer)
    let last = whole.split(separator: "/").last.map(String.init) ?? ""
    let name = isTold && !last.isEmpty ? String(last.prefix(64)) : "unknown"
    names[pid] = name
    return name
  }

  /// A list of processes by the newest of the three forms that the library has, and how the call ended. It says how much room it needs
  /// when there was too little; more processes than the bound are left out.
  static func list(
    _ device: godwit_nvml_device, _ call: godwit_nvml_processes?, _ first: godwit_nvml_processes_v1?
  ) -> (status: Int32, processes: [godwit_nvml_process])? {
    var room = 64
    while true {
      var count = UInt32(room)
      var status: Int32
      var list = [godwit_nvml_process](repeating: godwit_nvml_process(), count: room)
      if let call {
        status = call(device, &count, &list)
      } else if let first {
        var old = [godwit_nvml_process_v1](repeating: godwit_nvml_process_v1(), count: room)
        status = first(device, &count, &old)
        for index in list.indices { (list[index].pid, list[index].memory) = (old[index].pid, old[index].memory) }
      } else {
        return nil
      }
      if Int(status) == GODWIT_NVML_INSUFFICIENT_SIZE, room < DeviceLibraryLimits.processes {
        room = min(max(room * 4, Int(count)), DeviceLibraryLimits.processes)
        continue
      }
      return (status, Array(list.prefix(min(Int(count), room))))
    }
  }
}
