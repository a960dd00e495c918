import Platform
import Telemetry

/// The disks of a machine: what `/sys/block` has besides partitions, loops, RAM and volumes made of other devices.
enum DiskFacts {
  /// Block devices that are no hardware; partitions are not listed there.
  private static let made = ["dm-", "fd", "loop", "md", "nbd", "ram", "sr", "zd", "zram"]

  static func write(_ host: Host, _ privacy: FactPrivacy, to json: inout JSONWriter) {
    let names = ((try? host.list("/sys/block")) ?? []).filter { name in
      // Boot partitions of an eMMC chip look like disks: mmcblk0boot0.
      !made.contains { name.hasPrefix($0) } && !(name.hasPrefix("mmcblk") && name.dropFirst(6).contains { !$0.isNumber })
    }
    json.objects("disks", Array(names.prefix(MachineLimits.devices))) { json, name in
      let path = "/sys/block/\(name)"
      json.member("name", name)
      json.fact("kind", kind(name, path, host))
      // In sectors of 512 bytes, whatever the disk's own are (Documentation/ABI/stable/sysfs-block).
      json.fact("bytes", host.number("\(path)/size").map { min($0, 1 << 50) * 512 })
      json.fact("model", host.fact("\(path)/device/model") ?? host.fact("\(path)/device/name"))
      json.fact("serial", privacy.shown(serial(path, host)))
    }
  }

  private static func kind(_ name: String, _ path: String, _ host: Host) -> String? {
    if name.hasPrefix("nvme") { return "nvme" }
    if name.hasPrefix("mmcblk") { return host.line("\(path)/device/type") == "SD" ? "sd" : "emmc" }
    if name.hasPrefix("vd") || name.hasPrefix("xvd") { return "virtual" }
    if MachineText.has("/usb", in: host.link(path) ?? "") { return "usb" }
    return host.number("\(path)/queue/rotational").map { $0 == 1 ? "hdd" : "ssd" }
  }

  /// NVMe and MMC have a file; so have virtio disks, elsewhere. SCSI and ATA disks have it in page 0x80 of their vital product data behind
  /// four bytes (SPC-5, 7.7.19).
  private static func serial(_ path: String, _ host: Host) -> String? {
    if let serial = host.fact("\(path)/device/serial") ?? host.fact("\(path)/serial") { return serial }
    let page = try? host.file("\(path)/device/vpd_pg80", limit: 4096).read { (text) throws(SensorError) in
      for _ in 0..<4 { if let byte = text.next { _ = text.skip(byte: byte) } }
      return text.rest()
    }
    return page.flatMap(MachineText.clean)
  }
}
