import Platform
import Telemetry

/// A graphics card or GPU as the class drm shows it, and the name its series have.
struct DRMCard {
  static let directory = "/sys/class/drm"

  /// `card1`, or `renderD128`.
  let entry: String
  /// `amdgpu`, `i915`, `v3d` …: the module's name.
  let driver: String
  /// The name of the device behind it: `0000:03:00.0`, `1002000000.v3d`.
  let device: String
  /// What its series are called; see `GPUMetrics`.
  let name: String

  var path: String { "\(Self.directory)/\(entry)" }

  /// All entries of the class that are cards (`card0`, not the connector `card0-HDMI-A-1`) or, with another prefix, their render
  /// nodes.
  static func all(on host: Host, prefix: String = "card") -> [DRMCard] {
    let names = ((try? host.list(directory)) ?? []).filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }
    return names.compactMap { entry in
      let path = "\(directory)/\(entry)/device"
      guard let driver = last(host.link("\(path)/driver")), let device = last(host.link(path)) else { return nil }
      let isPCI = host.exists("\(path)/vendor")
      return DRMCard(entry: entry, driver: driver, device: device, name: isPCI ? device : DevfreqDevice.name(of: device))
    }
  }

  private static func last(_ path: String?) -> String? {
    path?.split(separator: "/").last.map { String($0) }
  }
}
