import Platform
import Telemetry

/// The packages of a status file of dpkg or opkg, found again by the hash of their name: some thousand of them, without a text each.
struct InstalledPackages {
  private static let all = keyHash("all")

  private var names: [UInt64] = []
  private var architectures: [UInt64] = []
  /// All versions one after another, and where each ends.
  private var versions: [UInt8] = []
  private var ends: [Int] = []
  /// Places by hash, each −1 or a package; a package that finds its place taken has the next one.
  private var places: [Int] = []
  /// What is newer elsewhere: bit 0, and bit 1 where that is for the sake of security.
  private var newer: [UInt8] = []

  /// How many there are.
  var count: Int { names.count }
  /// Those of which there is a newer version, and those with one for the sake of security.
  var upgradable: Int { newer.count { $0 != 0 } }
  var securityUpgradable: Int { newer.count { $0 & 2 != 0 } }

  /// Reads `/var/lib/dpkg/status` (deb-control(5)); opkg has the same form.
  init(status path: String, of host: Host) throws(SensorError) {
    try Self.stanzas(path, of: host) { stanza in
      guard stanza.isInstalled, names.count < PackageLimits.packages else { return }
      names.append(stanza.name)
      architectures.append(stanza.architecture)
      versions += stanza.version
      ends.append(versions.count)
    }
    newer = [UInt8](repeating: 0, count: count)
    var room = 64
    while room < count * 2 { room *= 2 }
    places = [Int](repeating: -1, count: room)
    for package in names.indices {
      var place = start(names[package])
      while places[place] >= 0 { place = (place + 1) & (room - 1) }
      places[place] = package
    }
  }

  private func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash ^ hash >> 32) & (places.count - 1) }

  /// Marks what a list of a repository has in a newer version.
  mutating func compare(list path: String, of host: Host, isSecurity: Bool) throws(SensorError) {
    let mark: UInt8 = isSecurity ? 3 : 1
    try Self.stanzas(path, of: host) { stanza in
      var place = start(stanza.name)
      while places[place] >= 0 {
        let package = places[place]
        place = (place + 1) & (places.count - 1)
        guard names[package] == stanza.name, newer[package] & mark != mark else { continue }
        let own = architectures[package]
        guard own == stanza.architecture || own == Self.all || stanza.architecture == Self.all else { continue }
        let version = versions[(package > 0 ? ends[package - 1] : 0)..<ends[package]]
        if DebianVersion.precedes(version, stanza.version[...]) { newer[package] |= mark }
      }
    }
  }

  /// What is looked at of a package's lines.
  private struct Stanza {
    var name: UInt64 = 0
    var architecture: UInt64 = 0
    var version: [UInt8] = []
    var isInstalled = false
  }

  /// Gives each package of a file, whose lines end at an empty one.
  private static func stanzas(_ path: String, of host: Host, _ body: (Stanza) -> Void) throws(SensorError) {
    var stanza = Stanza()
    try host.lines(path) { (line) throws(SensorError) in
      switch line.next {
      case nil:
        if stanza.name != 0 { body(stanza) }
        stanza = Stanza(version: [])
      case UInt8(ascii: "P"):
        if line.skip("Package: ") { stanza.name = line.keyHash() }
      case UInt8(ascii: "A"):
        if line.skip("Architecture: ") { stanza.architecture = line.keyHash() }
      case UInt8(ascii: "V"):
        guard line.skip("Version: ") else { return }
        stanza.version.removeAll(keepingCapacity: true)
        while let byte = line.next, byte > 0x20, stanza.version.count < PackageLimits.versionBytes {
          stanza.version.append(byte)
          _ = line.skip(byte: byte)
        }
      case UInt8(ascii: "S"):
        // `Status: install ok installed`: what is wanted, whether that went well, what is.
        guard line.skip("Status: ") else { return }
        _ = line.word()
        _ = line.word()
        stanza.isInstalled = line.word() == "installed"
      default: return
      }
    }
    if stanza.name != 0 { body(stanza) }
  }
}

/// The bounds of what is told of packages.
enum PackageLimits {
  /// Packages of one system.
  static let packages = 50_000
  /// Bytes of a version.
  static let versionBytes = 128
  /// Lists of repositories that are read.
  static let lists = 256
}
