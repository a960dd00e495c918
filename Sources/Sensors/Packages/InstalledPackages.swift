import Platform
import Telemetry

/// The packages of a status file of dpkg, opkg or apk, found again by the hash of their name: some thousand of them, without a text each.
struct InstalledPackages {
  private static let all = keyHash("all")

  /// Whether names, versions and their order are those of apk.
  private let isAlpine: Bool
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

  /// Reads `/var/lib/dpkg/status` (deb-control(5)), the form of opkg too; or `/lib/apk/db/installed` (apk-v2(5)).
  init(status path: String, of host: Host, isAlpine: Bool) throws(SensorError) {
    self.isAlpine = isAlpine
    try Self.stanzas(path, of: host, isAlpine: isAlpine) { stanza in
      guard stanza.isInstalled || isAlpine, names.count < PackageLimits.packages else { return }
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
  ///
  /// - Throws: as `Host.lines`; `malformed` for a file with lines, of which none is a package's.
  mutating func compare(list path: String, of host: Host, isSecurity: Bool) throws(SensorError) {
    let mark: UInt8 = isSecurity ? 3 : 1
    var isList = false
    try Self.stanzas(path, of: host, isAlpine: isAlpine) { stanza in
      isList = true
      var place = start(stanza.name)
      while places[place] >= 0 {
        let package = places[place]
        place = (place + 1) & (places.count - 1)
        guard names[package] == stanza.name, newer[package] & mark != mark else { continue }
        let own = architectures[package]
        guard own == stanza.architecture || own == Self.all || stanza.architecture == Self.all else { continue }
        let version = versions[(package > 0 ? ends[package - 1] : 0)..<ends[package]]
        let isOlder =
          isAlpine
          ? AlpineVersion.precedes(version, stanza.version[...]) : DebianVersion.precedes(version, stanza.version[...])
        if isOlder { newer[package] |= mark }
      }
    }
    // A repository may be empty; so is its list.
    guard isList || (host.fileMark(path)?.bytes ?? 0) < PackageLimits.emptyListBytes else {
      throw .malformed(path: path, what: "no list of packages")
    }
  }

  /// What is looked at of a package's lines.
  fileprivate struct Stanza {
    var name: UInt64 = 0
    var architecture: UInt64 = 0
    var version: [UInt8] = []
    var isInstalled = false
  }

  /// Gives each package of a file, whose lines end at an empty one.
  private static func stanzas(
    _ path: String, of host: Host, isAlpine: Bool, _ body: (Stanza) -> Void
  ) throws(SensorError) {
    var stanza = Stanza()
    try host.lines(path, unpacking: true) { (line) throws(SensorError) in
      if line.isAtEnd {
        if stanza.name != 0 { body(stanza) }
        stanza = Stanza(version: [])
      } else if isAlpine {
        stanza.take(alpine: &line)
      } else {
        stanza.take(debian: &line)
      }
    }
    if stanza.name != 0 { body(stanza) }
  }
}

extension InstalledPackages.Stanza {
  /// `Package: name`.
  fileprivate mutating func take(debian line: inout ByteScanner) {
    switch line.next {
    case UInt8(ascii: "P"):
      if line.skip("Package: ") { name = line.keyHash() }
    case UInt8(ascii: "A"):
      if line.skip("Architecture: ") { architecture = line.keyHash() }
    case UInt8(ascii: "V"):
      if line.skip("Version: ") { takeVersion(&line) }
    case UInt8(ascii: "S"):
      // `Status: install ok installed`: what is wanted, whether that went well, what is.
      guard line.skip("Status: ") else { return }
      _ = line.word()
      _ = line.word()
      isInstalled = line.word() == "installed"
    default: return
    }
  }

  /// `P:name`. An index is an archive of tar, whose headers stand before the first line of a file: `C:`, which is not looked at.
  fileprivate mutating func take(alpine line: inout ByteScanner) {
    if line.skip("P:") {
      name = line.keyHash()
    } else if line.skip("V:") {
      takeVersion(&line)
    }
  }

  private mutating func takeVersion(_ line: inout ByteScanner) {
    version.removeAll(keepingCapacity: true)
    while let byte = line.next, byte > 0x20, version.count < PackageLimits.versionBytes {
      version.append(byte)
      _ = line.skip(byte: byte)
    }
  }
}

/// The bounds of what is told of packages.
enum PackageLimits {
  /// Packages of one system.
  static let packages = 50_000
  /// Bytes of a version.
  static let versionBytes = 128
  /// A list of so many bytes that has no package in it is none; one that is packed has some when it is empty.
  static let emptyListBytes: Int64 = 1_024
  /// Lists of repositories that are read.
  static let lists = 256
}
