import Platform
import Telemetry

/// A memory module: SMBIOS structure of type 17 (DSP0134 3.6, 7.18). Offsets from its first byte, numbers little-endian:
///
/// ```
///  0    1      2      4  …  0x0C  0x0E  0x0F  0x10     0x11  0x12  0x13    0x15   0x17   0x18    0x19   0x1A
/// ┌────┬──────┬──────┬───┬──────┬─────┬─────┬────────┬─────┬─────┬───────┬──────┬──────┬───────┬──────┬──────┐
/// │type│length│handle│ … │ size │form │ set │locator │bank │type │detail │speed │maker │serial │ tag  │ part │ …
/// └────┴──────┴──────┴───┴──────┴─────┴─────┴────────┴─────┴─────┴───────┴──────┴──────┴───────┴──────┴──────┘
///  0x1C: size in MiB where `size` is 0x7FFF   0x20: configured speed   0x54: speed, 0x58: configured, where they are 0xFFFF
/// ```
///
/// Texts are numbers, from 1, of the strings that follow the structure; each ends with a zero, and the last has another one after it.
struct MemoryModule: Equatable {
  var locator, manufacturer, serial, part: String?
  var bytes = 0
  /// `DDR4`
  var type: String?
  /// Transfers that it is made for, and that it runs at; millions a second.
  var speed, configuredSpeed: Int?

  private static let types = [
    (0x0F, "SDRAM"), (0x12, "DDR"), (0x13, "DDR2"), (0x14, "DDR2 FB-DIMM"), (0x18, "DDR3"), (0x1A, "DDR4"), (0x1B, "LPDDR"),
    (0x1C, "LPDDR2"), (0x1D, "LPDDR3"), (0x1E, "LPDDR4"), (0x20, "HBM"), (0x21, "HBM2"), (0x22, "DDR5"), (0x23, "LPDDR5"),
  ]

  /// Those of a table that hold memory; empty slots are left out.
  static func all(in table: [UInt8]) -> [MemoryModule] {
    var modules: [MemoryModule] = []
    var start = 0
    while start + 4 <= table.count, modules.count < MachineLimits.devices {
      let (type, length) = (table[start], Int(table[start + 1]))
      guard length >= 4, start + length <= table.count else { break }
      let texts = start + length
      var end = texts
      while end + 1 < table.count, table[end] != 0 || table[end + 1] != 0 { end += 1 }
      if type == 17, let module = MemoryModule(table[start..<texts], texts: table[texts..<end]) { modules.append(module) }
      // End-of-table.
      if type == 127 { break }
      start = end + 2
    }
    return modules
  }

  private init?(_ structure: ArraySlice<UInt8>, texts: ArraySlice<UInt8>) {
    /// Older versions of the standard have shorter structures.
    func number(_ offset: Int, _ bytes: Int) -> Int {
      guard offset + bytes <= structure.count else { return 0 }
      var value = 0
      for index in (0..<bytes).reversed() { value = value << 8 | Int(structure[structure.startIndex + offset + index]) }
      return value
    }
    func text(_ offset: Int) -> String? {
      let wanted = number(offset, 1)
      let all = texts.split(separator: 0, omittingEmptySubsequences: false)
      guard wanted > 0, wanted <= all.count else { return nil }
      return MachineText.clean(String(decoding: all[wanted - 1], as: UTF8.self))
    }
    let size = number(0x0C, 2)
    switch size {
    case 0, 0xFFFF: return nil
    case 0x7FFF: bytes = (number(0x1C, 4) & 0x7FFF_FFFF) << 20
    default: bytes = size & 0x8000 != 0 ? (size & 0x7FFF) << 10 : size << 20
    }
    guard bytes > 0 else { return nil }
    func rate(_ offset: Int, extended: Int) -> Int? {
      let short = number(offset, 2)
      let value = short == 0xFFFF ? number(extended, 4) & 0x7FFF_FFFF : short
      return value > 0 ? value : nil
    }
    (speed, configuredSpeed) = (rate(0x15, extended: 0x54), rate(0x20, extended: 0x58))
    let kind = number(0x12, 1)
    type = Self.types.first { $0.0 == kind }?.1
    (locator, manufacturer, serial, part) = (text(0x10), text(0x17), text(0x18), text(0x1A))
  }

  /// Writes `memory`: the size that the kernel has, and the modules, which only root can read.
  static func write(_ host: Host, _ privacy: FactPrivacy, to json: inout JSONWriter) {
    let total = try? host.file("/proc/meminfo").read { (text) throws(SensorError) in
      text.skip("MemTotal:") ? text.unsigned() : nil
    }
    let path = "/sys/firmware/dmi/tables/DMI"
    let table = try? host.untrustedFile(path, limit: MachineLimits.firmwareBytes)
    json.key("memory")
    json.beginObject()
    if let kilobytes = total ?? nil, kilobytes < 1 << 40 { json.member("bytes", Int(kilobytes) * 1024) }
    if let table {
      json.objects("modules", all(in: table.bytes)) { json, module in
        json.fact("slot", module.locator)
        json.member("bytes", module.bytes)
        json.fact("type", module.type)
        json.fact("mt_per_s", module.speed)
        json.fact("configured_mt_per_s", module.configuredSpeed)
        json.fact("manufacturer", module.manufacturer)
        json.fact("part", module.part)
        json.fact("serial", privacy.shown(module.serial))
      }
    }
    json.endObject()
  }
}
