import Platform
import Telemetry

/// What the kernel shows of a machine's board, buses and devices. Only files are read; no device is asked but by `probe`.
struct DeviceHardware {
  /// The device tree's entries from the particular to the general; empty where the firmware has none.
  private(set) var compatible: [String] = []
  private(set) var model = ""
  private(set) var dmiVendor = ""
  private(set) var dmiProduct = ""
  private(set) var hats: [HatIdentity] = []
  private(set) var pci: [PCIDevice] = []
  private(set) var i2c: [I2CAdapter] = []
  /// The buses that were asked, and the addresses that answered.
  private(set) var answers: [Int: [UInt8]] = [:]
  private(set) var spi: [String] = []
  private(set) var oneWire: [String] = []
  private(set) var gpio: [GPIOController] = []
  private(set) var accelerators: [ClassDevice] = []
  private(set) var graphics: [ClassDevice] = []

  /// What a HAT's EEPROM says of it.
  struct HatIdentity {
    let vendor: String
    let product: String
    let productID: String
    let uuid: String
  }

  /// A device on PCI or PCIe.
  struct PCIDevice {
    /// `0001:01:00.0`
    let address: String
    /// `1e60:2864`
    let id: String
  }

  /// An I2C bus and the chips on it that the kernel was told of.
  struct I2CAdapter {
    let bus: Int
    let name: String
    let clients: [Client]

    struct Client {
      let address: UInt8
      let name: String
      /// The driver that has it; nil when none does.
      let driver: String?
    }
  }

  /// A GPIO chip.
  struct GPIOController {
    let label: String
    let lineCount: Int
  }

  /// A device of a class of the kernel's: `apex`, `hailo_chardev`, `accel`, `drm`.
  struct ClassDevice {
    let kind: String
    let name: String
    let driver: String?
    let pci: String?
    /// The product.
    let description: String?
  }

  private let host: Host

  /// Reads what is there.
  init(host: Host) {
    self.host = host
    readTree()
    dmiVendor = text("/sys/class/dmi/id/sys_vendor")
    dmiProduct = text("/sys/class/dmi/id/product_name")
    pci = list("/sys/bus/pci/devices").compactMap { address in
      guard let id = pciID("/sys/bus/pci/devices/\(address)") else { return nil }
      return PCIDevice(address: address, id: id)
    }
    readBuses()
    readGPIO()
    accelerators =
      ["hailo_chardev", "apex", "accel"].flatMap { kind in
        list("/sys/class/\(kind)").map { classDevice(kind, $0) }
      }
    // `card0-HDMI-A-1` is a connector of card0.
    graphics = list("/sys/class/drm").filter { name in
      name.hasPrefix("card") && name.dropFirst(4).allSatisfy(\.isNumber)
    }.map { classDevice("drm", $0) }
  }

  /// Asks all addresses of an I2C bus whether something is there, as `godwit i2c scan` does.
  mutating func probe(bus: Int) {
    guard let adapter = host.i2cAdapters().first(where: { $0.number == bus }) else { return }
    answers[bus] = I2CScan(adapter, host: host).found.filter { $0.owner == nil && $0.problem == nil }.map(\.address)
  }

  // MARK: - Firmware

  /// `/proc/device-tree` is a link to the second place. Strings end with a zero, lists of strings have one after each
  /// (Devicetree specification, 2.2.4).
  private mutating func readTree() {
    guard let tree = ["/proc/device-tree", "/sys/firmware/devicetree/base"].first(where: { host.isDirectory($0) }) else { return }
    model = text("\(tree)/model")
    let entries = (host.line("\(tree)/compatible") ?? "").split(separator: "\0")
    compatible = entries.prefix(HardwareLimits.devices).map { shown(String($0)) }
    for name in list(tree) where name == "hat" || name.hasPrefix("hat_") || name.hasPrefix("hat-") {
      let hat = "\(tree)/\(name)"
      guard host.exists("\(hat)/product") || host.exists("\(hat)/uuid") else { continue }
      hats.append(
        HatIdentity(
          vendor: text("\(hat)/vendor"), product: text("\(hat)/product"), productID: text("\(hat)/product_id"),
          uuid: text("\(hat)/uuid")))
    }
  }

  // MARK: - Buses

  private mutating func readBuses() {
    let entries = list("/sys/bus/i2c/devices")
    i2c = entries.compactMap { entry in
      guard entry.hasPrefix("i2c-"), let bus = Int(entry.dropFirst(4)) else { return nil }
      return I2CAdapter(bus: bus, name: text("/sys/bus/i2c/devices/\(entry)/name"), clients: clients(of: bus, entries))
    }
    spi = list("/sys/bus/spi/devices")
    oneWire = list("/sys/bus/w1/devices").filter { !$0.hasPrefix("w1_bus_master") }
  }

  /// Chips are `<bus>-<address>`, the address as four hexadecimal digits; ten-bit addresses begin with `a`.
  private func clients(of bus: Int, _ entries: [String]) -> [I2CAdapter.Client] {
    entries.compactMap { entry in
      guard entry.hasPrefix("\(bus)-00"), let address = UInt8(entry.suffix(2), radix: 16) else { return nil }
      let path = "/sys/bus/i2c/devices/\(entry)"
      return I2CAdapter.Client(address: address, name: text("\(path)/name"), driver: base(host.link("\(path)/driver")))
    }
  }

  /// The character devices do not say their labels in sysfs; the older interface beside them does (Documentation/ABI/obsolete/sysfs-gpio).
  private mutating func readGPIO() {
    for entry in list("/sys/class/gpio") where entry.hasPrefix("gpiochip") {
      let label = text("/sys/class/gpio/\(entry)/label")
      guard !label.isEmpty else { continue }
      gpio.append(GPIOController(label: label, lineCount: Int(text("/sys/class/gpio/\(entry)/ngpio")) ?? 0))
    }
  }

  // MARK: - Devices

  private func classDevice(_ kind: String, _ name: String) -> ClassDevice {
    let path = "/sys/class/\(kind)/\(name)"
    let device = "\(path)/device"
    // The Hailo driver's class device has no parent: it says its place and id itself.
    let place = host.line("\(path)/board_location").map { "/sys/bus/pci/devices/\($0)" } ?? device
    let pci = pciID(place)
    return ClassDevice(
      kind: kind, name: name, driver: base(host.link("\(place)/driver")), pci: pci, description: pci.flatMap { Self.products[$0] }
    )
  }

  /// The device ids of the PCIe drivers hailo and apex.
  private static let products = [
    "1e60:2864": "Hailo-8 or Hailo-8L", "1e60:45c4": "Hailo-10H", "1e60:43a2": "Hailo-15L", "1ac1:089a": "Coral Edge TPU",
  ]

  /// `vendor` and `device` read `0x1e60`.
  private func pciID(_ path: String) -> String? {
    guard let vendor = host.line("\(path)/vendor"), let device = host.line("\(path)/device"), vendor.hasPrefix("0x"),
      device.hasPrefix("0x")
    else { return nil }
    return shown(vendor.dropFirst(2).lowercased() + ":" + device.dropFirst(2).lowercased())
  }

  // MARK: - Reading

  private func list(_ path: String) -> [String] {
    ((try? host.list(path)) ?? []).prefix(HardwareLimits.devices).map { shown($0) }
  }

  private func text(_ path: String) -> String { shown(host.line(path) ?? "") }

  private func base(_ link: String?) -> String? { link?.split(separator: "/").last.map { shown(String($0)) } }

  /// Without what ends a string of the device tree, and without anything that would not stay in a line.
  private func shown(_ text: String) -> String {
    let line = text.unicodeScalars.prefix { $0 != "\0" }.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return String(String.UnicodeScalarView(line.prefix(HardwareLimits.textBytes)))
  }
}
