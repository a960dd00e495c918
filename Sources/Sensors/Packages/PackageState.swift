import Platform
import Synchronization
import Telemetry

/// What the package manager's own files say. Nothing is fetched and no program is run.
struct PackageState: Sendable, Equatable {
  /// `dpkg`, `opkg`, `apk` or `rpm`.
  var manager = ""
  var installed = 0
  /// Nil where no list of repositories can be read.
  var upgradable: Int?
  /// Nil where lists do not say what is for the sake of security.
  var securityUpgradable: Int?
  /// How long ago the lists were last fetched, milliseconds.
  var listsAgeMilliseconds: Int64?
  /// Why there is no count of what is upgradable, where there are lists.
  var problem: SensorError?
  /// Files and folders that tell the age of the lists.
  private var dated: [String] = []

  /// Has no keys of its own: those that signatures are checked with count as packages in it.
  private static let rpmCount: StaticString =
    "SELECT (SELECT count(*) FROM Packages) - (SELECT count(*) FROM Name WHERE key = 'gpg-pubkey')"

  /// Reads the database, and the lists beside it.
  init(_ sources: PackageSources, of host: Host) throws(SensorError) {
    manager = sources.manager
    if manager == "rpm" {
      let count = try host.number(Self.rpmCount, of: sources.database)
      guard count >= 0 else { throw .malformed(path: sources.database, what: "more keys than packages") }
      installed = Int(clamping: count)
      return
    }
    var packages = try InstalledPackages(status: sources.database, of: host, isAlpine: manager == "apk")
    installed = packages.count
    let lists = sources.lists(host)
    dated = sources.dated(lists.paths)
    age(host)
    if let unread = lists.unread { problem = .malformed(path: unread, what: "a list in a form that is not read") }
    if sources.hasTaggedRepositories(host) { return }
    do throws(SensorError) {
      for list in lists.paths where !sources.isOnDemand(list, host) {
        try packages.compare(list: list, of: host, isSecurity: MachineText.has("security", in: list))
      }
    } catch {
      problem = error
    }
    if !lists.paths.isEmpty, problem == nil {
      upgradable = packages.upgradable
      if manager == "dpkg" { securityUpgradable = packages.securityUpgradable }
    } else if manager == "dpkg" {
      readNotice(host)
    }
  }

  /// Looks again how old the lists are.
  mutating func age(_ host: Host) {
    listsAgeMilliseconds =
      dated.compactMap { place in
        host.fileMark(place).map { host.calls.fileAge(place, modifiedMilliseconds: $0.modifiedMilliseconds) }
      }.min().map { max($0, 0) }
  }

  /// `5 updates can be applied immediately.`, then, if any is, `2 of these updates are standard security updates.`; what `3 additional
  /// security updates` would be with a subscription is none of them.
  private mutating func readNotice(_ host: Host) {
    var numbers: [Int] = []
    try? host.lines(PackageSources.notice) { (line) throws(SensorError) in
      if let number = line.unsigned(), numbers.count < 2, !line.skip(" additional ") { numbers.append(Int(clamping: number)) }
    }
    guard let all = numbers.first, host.exists(PackageSources.notice) else { return }
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
    guard let sources = PackageSources(host) else { throw .absent("/var/lib/dpkg/status") }
    var marks: [Int64] = []
    for place in sources.marked(host) {
      let mark = host.fileMark(place)
      marks += [mark?.modifiedMilliseconds ?? 0, mark?.bytes ?? -1]
    }
    let result = known.withLock { known -> Result<PackageState, SensorError> in
      if let state = known.state, known.marks == marks { return .success(state) }
      do throws(SensorError) {
        let state = try PackageState(sources, of: host)
        known = Known(marks: marks, state: state)
        return .success(state)
      } catch {
        return .failure(error)
      }
    }
    var state = try result.get()
    state.age(host)
    return state
  }
}
