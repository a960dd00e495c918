public import Platform
import Telemetry

/// What a system is made of and what runs on it: for the retained message `info`, and for people.
public enum SystemFacts {
  /// All that can be read, as one JSON object; what is not known has no key. Reads some hundred small files, and the lists of packages when
  /// they changed: for a thread that may block.
  public static func json(_ host: Host, privacy: FactPrivacy, packages: PackageHistory) -> [UInt8] {
    var json = JSONWriter(capacity: 4_096)
    json.beginObject()
    json.fact("host", privacy.shown(host.fact("/proc/sys/kernel/hostname")))
    json.fact("machine_id", privacy.shown(FactPrivacy.machineID(host)))
    BoardFacts(host, privacy: privacy).write(to: &json, host: host)
    let runsIn = Virtualization(host)
    json.fact("hypervisor", runsIn.machine == Virtualization.none ? nil : runsIn.machine)
    json.fact("container", runsIn.container == Virtualization.none ? nil : runsIn.container)
    CPUFacts.write(host, to: &json)
    MemoryModule.write(host, privacy, to: &json)
    DiskFacts.write(host, privacy, to: &json)
    InterfaceFacts.write(host, privacy, to: &json)
    write(packages, host, to: &json)
    json.endObject()
    return json.bytes
  }

  private static func write(_ packages: PackageHistory, _ host: Host, to json: inout JSONWriter) {
    let isDue = host.exists("/run/reboot-required") || host.exists("/var/run/reboot-required")
    guard let state = try? packages.state(host) else {
      if isDue { json.member("reboot_required", true) }
      return
    }
    json.key("packages")
    json.beginObject()
    json.member("manager", state.manager)
    json.member("installed", state.installed)
    json.fact("upgradable", state.upgradable)
    json.fact("security_upgradable", state.securityUpgradable)
    json.endObject()
    json.member("reboot_required", isDue)
  }
}
