import Platform
import Telemetry

/// What `/proc/cpuinfo` says of the processors, one stanza each, in the words of each architecture.
struct CPUFacts: Equatable {
  /// As its maker calls it; several kinds are joined by ` + `.
  var model: String?
  /// As the kernel writes them, in its order.
  var features: String?
  /// Hertz, where the model's name has it.
  var namedHertz: Int?

  /// Main ID Register: numbers and names of Arm's own designs (their Technical Reference Manuals).
  private static let armParts = [
    (0xB76, "ARM1176"), (0xC05, "Cortex-A5"), (0xC07, "Cortex-A7"), (0xC08, "Cortex-A8"), (0xC09, "Cortex-A9"),
    (0xC0D, "Cortex-A17"), (0xC0E, "Cortex-A17"), (0xC0F, "Cortex-A15"), (0xD01, "Cortex-A32"), (0xD03, "Cortex-A53"),
    (0xD04, "Cortex-A35"), (0xD05, "Cortex-A55"), (0xD07, "Cortex-A57"), (0xD08, "Cortex-A72"), (0xD09, "Cortex-A73"),
    (0xD0A, "Cortex-A75"), (0xD0B, "Cortex-A76"), (0xD0C, "Neoverse-N1"), (0xD0D, "Cortex-A77"), (0xD40, "Neoverse-V1"),
    (0xD41, "Cortex-A78"), (0xD42, "Cortex-A78AE"), (0xD46, "Cortex-A510"), (0xD47, "Cortex-A710"), (0xD49, "Neoverse-N2"),
  ]

  init(_ text: inout ByteScanner) {
    var models: [String] = []
    var implementer: UInt64 = 0
    while !text.isAtEnd {
      let key = MachineText.clean(text.text(until: UInt8(ascii: ":"))) ?? ""
      _ = text.skip(byte: UInt8(ascii: ":"))
      text.skipBlanks()
      var found: String?
      switch key {
      // x86; MIPS, POWER; RISC-V.
      case "model name", "cpu model", "cpu", "uarch": found = MachineText.clean(text.restOfLine())
      case "flags", "Features", "isa":
        if features == nil { features = Self.cut(text.restOfLine()) }
      case "CPU implementer": implementer = text.skip("0x") ? text.hexadecimal() ?? 0 : 0
      case "CPU part":
        guard text.skip("0x"), let part = text.hexadecimal() else { break }
        if implementer == 0x41, let known = Self.armParts.first(where: { $0.0 == part }) {
          found = known.1
        } else {
          found = "0x\(String(implementer, radix: 16)):0x\(String(part, radix: 16))"
        }
        // 32-bit kernels have a `model name` besides, which names only the version of the architecture.
        models.removeAll { $0.hasPrefix("ARMv") }
      default: break
      }
      if let found, !models.contains(found), models.count < 4 { models.append(found) }
      text.skipLine()
    }
    model = models.isEmpty ? nil : models.joined(separator: " + ")
    namedHertz = model.flatMap(Self.hertz)
  }

  /// `Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz`
  private static func hertz(_ model: String) -> Int? {
    guard let at = model.lastIndex(of: "@") else { return nil }
    return ByteScanner.scan(String(model[model.index(after: at)...])) { text in
      guard let number = text.decimal(), number > 0, number < 1_000_000 else { return nil }
      return text.skip("GHz") ? Int((number * 1e9).rounded()) : text.skip("MHz") ? Int((number * 1e6).rounded()) : nil
    }
  }

  /// The names that have room.
  private static func cut(_ names: String) -> String? {
    var kept = Array(names.utf8.prefix(MachineLimits.featureBytes + 1).map { $0 <= 0x20 || $0 >= 0x7F ? 0x20 : $0 })
    if kept.count > MachineLimits.featureBytes, let blank = kept.lastIndex(of: 0x20) { kept.removeLast(kept.count - blank) }
    return kept.isEmpty ? nil : String(decoding: kept, as: UTF8.self)
  }

  /// Writes `cpu`: these, and what sysfs says of their arrangement (Documentation/admin-guide/cputopology.rst) and clock
  /// (Documentation/admin-guide/pm/cpufreq.rst, kHz).
  static func write(_ host: Host, to json: inout JSONWriter) {
    let path = "/sys/devices/system/cpu"
    var (packages, cores, threads, base, top) = (0, 0, 0, 0, 0)
    for name in ((try? host.list(path)) ?? []).prefix(MachineLimits.processors) {
      guard name.hasPrefix("cpu"), let number = Int(name.dropFirst(3)) else { continue }
      func isFirst(_ names: [String]) -> Bool {
        for list in names {
          if let first = host.number("\(path)/\(name)/topology/\(list)") { return first == number }
        }
        return false
      }
      if let kilohertz = host.number("\(path)/\(name)/cpufreq/cpuinfo_max_freq") { top = max(top, kilohertz) }
      if let kilohertz = host.number("\(path)/\(name)/cpufreq/base_frequency") { base = max(base, kilohertz) }
      // One that is switched off has no topology.
      guard host.exists("\(path)/\(name)/topology") else { continue }
      threads += 1
      // Each list begins with the first processor of its core or package.
      if isFirst(["core_cpus_list", "thread_siblings_list"]) { cores += 1 }
      if isFirst(["package_cpus_list", "core_siblings_list"]) { packages += 1 }
    }
    let facts = try? host.file("/proc/cpuinfo", limit: 4 << 20).read { (text) throws(SensorError) in CPUFacts(&text) }
    json.key("cpu")
    json.beginObject()
    json.fact("model", facts?.model)
    if threads > 0 {
      json.member("packages", packages)
      json.member("cores", cores)
      json.member("threads", threads)
    }
    json.fact("base_hertz", base > 0 ? base * 1_000 : facts?.namedHertz)
    json.fact("max_hertz", top > 0 ? top * 1_000 : nil)
    json.fact("features", facts?.features)
    json.endObject()
  }
}

extension Host {
  /// The whole number that a small file begins with, from 0 to 10¹⁵.
  func number(_ path: String) -> Int? {
    guard let number = (try? file(path, limit: 4096).integer()) ?? nil, (0...1_000_000_000_000_000).contains(number) else {
      return nil
    }
    return Int(number)
  }
}
