import Platform
import Telemetry

/// What the system runs in, by the words of systemd-detect-virt(1), looked for in its order (src/basic/virt.c).
struct Virtualization {
  /// The word where nothing is known.
  static let none = "none"

  /// The virtual machine: `kvm`, `qemu` (emulated, or KVM on processors that do not tell them apart), `xen`, …, `vm-other`; `none`.
  private(set) var machine = Virtualization.none
  /// The container: `docker`, `lxc`, `podman`, `systemd-nspawn`, …, `container-other`; `none`.
  let container: String
  /// What the firmware calls the machine; empty where it says nothing.
  let product: String

  private static let signatures = [
    ("KVMKVMKVM", "kvm"), ("Linux KVM Hv", "kvm"), ("TCGTCGTCGTCG", "qemu"), ("VMwareVMware", "vmware"),
    ("Microsoft Hv", "microsoft"), ("XenVMMXenVMM", "xen"), ("bhyve bhyve ", "bhyve"), ("QNXQVMBSQG", "qnx"),
    ("ACRNACRNACRN", "acrn"), ("SRESRESRESRE", "sre"), ("Apple VZ", "apple"),
  ]
  /// Beginnings of what firmware says of maker and product.
  private static let vendors = [
    ("KVM", "kvm"), ("OpenStack", "kvm"), ("KubeVirt", "kvm"), ("Amazon EC2", "amazon"), ("QEMU", "qemu"), ("VMware", "vmware"),
    ("VMW", "vmware"), ("innotek GmbH", "oracle"), ("VirtualBox", "oracle"), ("Oracle Corporation", "oracle"), ("Xen", "xen"),
    ("Bochs", "bochs"), ("Parallels", "parallels"), ("BHYVE", "bhyve"), ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"), ("Google Compute Engine", "google"),
  ]
  private static let containers = [
    "docker", "lxc", "lxc-libvirt", "openvz", "podman", "pouch", "proot", "rkt", "systemd-nspawn", "wsl",
  ]

  init(_ host: Host) {
    product = host.fact("/sys/class/dmi/id/product_name") ?? ""
    container = Self.container(host)
    machine = Self.machine(host)
  }

  private static func word(_ table: [(String, String)], where matches: (String) -> Bool) -> String? {
    for (text, word) in table where matches(text) { return word }
    return nil
  }

  private static func machine(_ host: Host) -> String {
    let firmware = Self.firmware(host)
    // These tell the truth where their processors say KVM or Hyper-V.
    if let firmware, ["amazon", "google", "oracle", "parallels", "xen"].contains(firmware) { return firmware }
    if host.line("/sys/hypervisor/type") == "xen" || host.isDirectory("/proc/xen") {
      // The domain that drives the hardware is no guest.
      return host.line("/proc/xen/capabilities")?.hasPrefix("control_d") == true ? none : "xen"
    }
    let signature = host.calls.hypervisorSignature
    if let signature, let word = word(signatures, where: { $0 == signature }) { return word }
    if let word = firmware ?? tree(host) { return word }
    return signature != nil || host.exists("/sys/hypervisor/type") ? "vm-other" : none
  }

  private static func firmware(_ host: Host) -> String? {
    for name in ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"] {
      guard let text = host.fact("/sys/class/dmi/id/\(name)"), let word = word(vendors, where: { text.hasPrefix($0) }) else {
        continue
      }
      // Amazon's machines without a hypervisor have the same maker, and names such as `c5.metal`.
      if word == "amazon", host.fact("/sys/class/dmi/id/product_name")?.split(separator: ".").last?.hasPrefix("metal") == true {
        return nil
      }
      return word
    }
    return nil
  }

  /// On processors other than x86 (Documentation/devicetree/bindings/arm/xen.txt, and what QEMU writes).
  private static func tree(_ host: Host) -> String? {
    if let kind = host.fact("/proc/device-tree/hypervisor/compatible") {
      if kind.hasPrefix("linux,kvm") { return "kvm" }
      if kind.hasPrefix("xen") { return "xen" }
      return kind.hasPrefix("vmware") ? "vmware" : "vm-other"
    }
    let boards = ["linux,dummy-virt", "qemu,pseries"]
    return boards.contains(host.fact("/proc/device-tree/compatible") ?? "") ? "qemu" : nil
  }

  private static func container(_ host: Host) -> String {
    if host.exists("/proc/vz"), !host.exists("/proc/bc") { return "openvz" }
    let kernel = host.fact("/proc/sys/kernel/osrelease") ?? ""
    if kernel.hasSuffix("WSL2") || kernel.hasSuffix("Microsoft") { return "wsl" }
    let told =
      host.fact("/run/host/container-manager") ?? host.fact("/run/systemd/container") ?? environment(of: "/proc/1/environ", host)
    // `oci` is said by all that keep to that standard.
    if let told, told != "oci" { return containers.contains(told) ? told : "container-other" }
    if host.exists("/run/.containerenv") { return "podman" }
    if host.exists("/.dockerenv") { return "docker" }
    return told == nil ? none : "container-other"
  }

  /// The variable `container` of a process, which may be hidden from us.
  private static func environment(of path: String, _ host: Host) -> String? {
    let found = try? host.file(path).read { (text) throws(SensorError) -> String? in
      while !text.isAtEnd {
        if text.skip("container=") { return text.text(until: 0) }
        _ = text.skip { $0 == 0 }
        _ = text.skip(byte: 0)
      }
      return nil
    }
    guard let word = found ?? nil, !word.isEmpty else { return nil }
    return word
  }
}
