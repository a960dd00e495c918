import Platform
import Synchronization
import Telemetry

/// What the package manager's own files say. Nothing is fetched and no program is run.
struct PackageState: Sendable, Equatable {
  /// `dpkg`, `opkg` or `apk`.
  var manager = ""
  var installed = 0
  /// Nil where no list of repositories can be read.
  var upgradable: Int?
  var securityUpgradable: Int?
  /// How long ago the lists were last fetched, milliseconds.
  var listsAgeMilliseconds: Int64?

  private static let lists = "/var/lib/apt/lists"
  /// By update-notifier of Ubuntu, in words.
  private static let notice = "/var/lib/update-notifier/updates-available"

  /// The manager whose database is there.
  static func database(_ host: Host) -> (manager: String, path: String)? {
    let all = [
      ("dpkg", "/var/lib/dpkg/status"), ("opkg", "/usr/lib/opkg/status"), ("opkg", "/var/lib/opkg/status"),
      ("apk", "/lib/apk/db/installed"), ("apk", "/usr/lib/apk/db/installed"),
    ]
    return all.first { host.exists($0.1) }.map { (manager: $0.0, path: $0.1) }
  }

  /// Reads the database, and the lists beside it.
  init(_ database: (manager: String, path: String), of host: Host) throws(SensorError) {
    manager = database.manager
    if manager == "apk" {
      var count = 0
      // apk-v2 database: a line for each field, `P:` the name.
      try host.lines(database.path) { (line) throws(SensorError) in if line.skip("P:") { count += 1 } }
      installed = count
      return
    }
    var packages = try InstalledPackages(status: database.path, of: host)
    installed = packages.count
    guard manager == "dpkg" else { return }
    let names = ((try? host.list(Self.lists)) ?? []).filter { $0.hasSuffix("_Packages") }.prefix(PackageLimits.lists)
    for name in names where !Self.isOnDemand(name, host) {
      try packages.compare(
        list: "\(Self.lists)/\(name)", of: host, isSecurity: MachineText.has("security", in: name))
    }
    age(host)
    if names.isEmpty {
      readNotice(host)
    } else {
      (upgradable, securityUpgradable) = (packages.upgradable, packages.securityUpgradable)
    }
  }

  /// Whether apt takes nothing of a repository by itself, as with backports: its release file says so (apt_preferences(5)).
  private static func isOnDemand(_ list: String, _ host: Host) -> Bool {
    // `deb.debian.org_debian_dists_bookworm-backports_main_binary-amd64_Packages`
    let parts = list.split(separator: "_", omittingEmptySubsequences: false)
    guard let dists = parts.firstIndex(of: "dists"), dists + 1 < parts.count else { return false }
    let release = parts[...(dists + 1)].joined(separator: "_")
    var answer = false
    for file in ["InRelease", "Release"] {
      try? host.lines("\(lists)/\(release)_\(file)") { (line) throws(SensorError) in
        if line.skip("NotAutomatic: yes") { answer = true }
      }
    }
    return answer
  }

  /// Looks again how old the lists are: apt changes one of these whenever it asked the repositories.
  mutating func age(_ host: Host) {
    let places = [Self.lists, "\(Self.lists)/partial", "/var/lib/apt/periodic/update-success-stamp"]
    listsAgeMilliseconds =
      places.compactMap { place in
        host.fileMark(place).map { host.calls.fileAge(place, modifiedMilliseconds: $0.modifiedMilliseconds) }
      }.min().map { max($0, 0) }
  }

  /// `5 updates can be applied immediately.`, then, if any is, `2 of these updates are standard security updates.`; what `3 additional
  /// security updates` would be with a subscription is none of them.
  private mutating func readNotice(_ host: Host) {
    var numbers: [Int] = []
    try? host.lines(Self.notice) { (line) throws(SensorError) in
      if let number = line.unsigned(), numbers.count < 2, !line.skip(" additional ") { numbers.append(Int(clamping: number)) }
    }
    guard let all = numbers.first, host.exists(Self.notice) else { return }
    upgradable = min(all, installed)
    securityUpgradable = min(numbers.count > 1 ? numbers[1] : 0, all, installed)
  }
}

/// The packages as they were when their files last changed: to read the lists of a distribution takes a tenth of a second and more.
public final class PackageHistory: Sendable {
  private struct Known {
    var marks: [Int64] = []
    var state: PackageState?
  }

  private let known = Mutex(Known())

  /// Nothing was read yet.
  public init() {}

  /// The packages now.
  ///
  /// - Throws: `absent` where no package manager is known.
  func state(_ host: Host) throws(SensorError) -> PackageState {
    guard let database = PackageState.database(host) else { throw .absent("/var/lib/dpkg/status") }
    var marks: [Int64] = []
    for place in [
      database.path, "/var/lib/apt/lists", "/var/lib/apt/lists/partial", "/var/lib/update-notifier/updates-available",
    ] {
      let mark = host.fileMark(place)
      marks += [mark?.modifiedMilliseconds ?? 0, mark?.bytes ?? -1]
    }
    let result = known.withLock { known -> Result<PackageState, SensorError> in
      if let state = known.state, known.marks == marks { return .success(state) }
      do throws(SensorError) {
        let state = try PackageState(database, of: host)
        known = Known(marks: marks, state: state)
        return .success(state)
      } catch {
        return .failure(error)
      }
    }
    var state = try result.get()
    if state.manager == "dpkg" { state.age(host) }
    return state
  }
}
