public import Platform
import Telemetry

/// Which machine it is, and what runs on it: few small files, read at once.
public struct BoardFacts: Sendable, Equatable {
  /// Who made it.
  public let manufacturer: String?
  /// Its model.
  public let model: String?
  /// Its serial number as it may be told.
  public let serial: String?
  /// The firmware's version.
  let firmware: String?
  /// `Debian GNU/Linux 12 (bookworm)`.
  public let system: String?
  /// `debian`, and `12`.
  let systemID, systemVersion: String?
  /// The kernel's release.
  public let kernel: String?

  private static let dmi = "/sys/class/dmi/id"
  private static let tree = "/proc/device-tree"

  /// Reads the device tree, else what DMI has; serial numbers of the latter are for root only.
  public init(_ host: Host, privacy: FactPrivacy) {
    if let model = host.fact("\(Self.tree)/model") {
      self.model = model
      // `raspberrypi,5-model-b`
      manufacturer = host.fact("\(Self.tree)/compatible")?.split(separator: ",").first.map(String.init)
      serial = privacy.shown(host.fact("\(Self.tree)/serial-number"))
      firmware = nil
    } else {
      manufacturer = host.fact("\(Self.dmi)/sys_vendor") ?? host.fact("\(Self.dmi)/board_vendor")
      model = host.fact("\(Self.dmi)/product_name") ?? host.fact("\(Self.dmi)/board_name")
      serial = privacy.shown(host.fact("\(Self.dmi)/product_serial") ?? host.fact("\(Self.dmi)/board_serial"))
      firmware = host.fact("\(Self.dmi)/bios_version")
    }
    kernel = host.fact("/proc/sys/kernel/osrelease")
    let release = ["/etc/os-release", "/usr/lib/os-release"].first(where: host.exists) ?? ""
    system = Self.value("PRETTY_NAME", in: release, host)
    systemID = Self.value("ID", in: release, host)
    systemVersion = Self.value("VERSION_ID", in: release, host)
  }

  /// A value of os-release(5), which may stand in quotes.
  private static func value(_ key: String, in path: String, _ host: Host) -> String? {
    let found = try? host.file(path).read { (text) throws(SensorError) -> String? in
      while !text.isAtEnd {
        if text.text(until: UInt8(ascii: "=")) == key, text.skip(byte: UInt8(ascii: "=")) {
          _ = text.skip(byte: 0x22) || text.skip(byte: 0x27)
          return MachineText.clean(text.text { $0 == 0x22 || $0 == 0x27 || $0 == 0x0A })
        }
        text.skipLine()
      }
      return nil
    }
    return found ?? nil
  }

  func write(to json: inout JSONWriter, host: Host) {
    json.key("board")
    json.beginObject()
    json.fact("manufacturer", manufacturer)
    json.fact("model", model)
    json.fact("serial", serial)
    json.fact("firmware", firmware)
    let boot = host.exists("/sys/firmware/efi") ? "uefi" : host.exists(Self.tree) ? "device-tree" : nil
    json.fact("boot_mode", boot ?? (host.exists(Self.dmi) ? "bios" : nil))
    json.endObject()
    json.key("os")
    json.beginObject()
    json.fact("name", system)
    json.fact("id", systemID)
    json.fact("version", systemVersion)
    json.fact("kernel", kernel)
    json.fact("architecture", host.fact("/proc/sys/kernel/arch") ?? (host.root.isEmpty ? Self.architecture : nil))
    json.endObject()
  }

  /// For kernels before 6.1: what the agent was built for.
  private static var architecture: String? {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      nil
    #endif
  }
}

extension JSONWriter {
  /// Writes a member with a text, if there is one.
  mutating func fact(_ key: String, _ value: String?) {
    if let value { member(key, value) }
  }

  /// Writes a member with a number, if there is one.
  mutating func fact(_ key: String, _ value: Int?) {
    if let value { member(key, value) }
  }
}
