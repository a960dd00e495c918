import Platform
import Telemetry

/// Where a package manager keeps what it knows.
struct PackageSources {
  /// `dpkg`, `opkg`, `apk` or `rpm`.
  let manager: String
  /// Its database, or status file.
  let database: String

  private static let aptLists = "/var/lib/apt/lists"
  /// By update-notifier of Ubuntu, in words.
  static let notice = "/var/lib/update-notifier/updates-available"
  private static let repositories = "/etc/apk/repositories"

  private static let databases = [
    ("dpkg", "/var/lib/dpkg/status"), ("opkg", "/usr/lib/opkg/status"), ("opkg", "/var/lib/opkg/status"),
    ("apk", "/lib/apk/db/installed"), ("apk", "/usr/lib/apk/db/installed"), ("rpm", "/var/lib/rpm/rpmdb.sqlite"),
    ("rpm", "/usr/lib/sysimage/rpm/rpmdb.sqlite"),
  ]

  /// The first whose database is there.
  init?(_ host: Host) {
    guard let found = Self.databases.first(where: { host.exists($0.1) }) else { return nil }
    (manager, database) = found
  }

  init(manager: String, database: String) { (self.manager, self.database) = (manager, database) }

  /// The folders of the lists that were fetched from repositories.
  private var folders: [String] {
    switch manager {
    case "dpkg": [Self.aptLists]
    case "opkg": ["/var/opkg-lists", "/var/lib/opkg/lists"]
    case "apk": ["/var/cache/apk", "/etc/apk/cache"]
    default: []
    }
  }

  /// The lists, those first that can be read; the first of the others.
  func lists(_ host: Host) -> (paths: [String], unread: String?) {
    var paths: [String] = []
    var unread: String?
    for folder in folders {
      for name in ((try? host.list(folder)) ?? []).sorted() {
        guard let isReadable = isList(name), host.fileMark("\(folder)/\(name)") != nil else { continue }
        if !isReadable || paths.count == PackageLimits.lists {
          unread = unread ?? "\(folder)/\(name)"
        } else {
          paths.append("\(folder)/\(name)")
        }
      }
    }
    return (paths, unread)
  }

  /// Whether a file is a list, and one of a form that is read.
  private func isList(_ name: String) -> Bool? {
    switch manager {
    case "dpkg":
      // `…_binary-amd64_Packages`, with `Acquire::GzipIndexes` as it was packed: `…_Packages.lz4`.
      guard let end = name.utf8.lastIndex(of: UInt8(ascii: "_")) else { return nil }
      let form = name[end...]
      return form.hasPrefix("_Packages") ? form == "_Packages" || form == "_Packages.lz4" || form == "_Packages.gz" : nil
    case "opkg":
      // A list has the name of its feed, beside it its signature.
      return name.hasSuffix(".sig") || name.hasSuffix(".asc") || name.hasPrefix(".") ? nil : true
    default:
      return name.hasPrefix("APKINDEX.") ? name.hasSuffix(".tar.gz") : nil
    }
  }

  /// Files and folders that change when there is something new.
  func marked(_ host: Host) -> [String] {
    switch manager {
    case "dpkg": [database, Self.aptLists, Self.aptLists + "/partial", Self.notice]
    case "rpm": [database, database + "-wal"]
    default: [database, Self.repositories] + folders + lists(host).paths
    }
  }

  /// Those of which the youngest says when repositories were asked last: apt changes one of these each time it asks.
  func dated(_ lists: [String]) -> [String] {
    guard manager == "dpkg" else { return lists }
    return [Self.aptLists, Self.aptLists + "/partial", "/var/lib/apt/periodic/update-success-stamp"]
  }

  /// Whether the manager takes nothing of a list by itself.
  func isOnDemand(_ list: String, _ host: Host) -> Bool {
    guard manager == "dpkg" else { return false }
    // As with backports: the release file says so (apt_preferences(5)).
    // `deb.debian.org_debian_dists_bookworm-backports_main_binary-amd64_Packages`
    let parts = list.split(separator: "_", omittingEmptySubsequences: false)
    guard let dists = parts.firstIndex(of: "dists"), dists + 1 < parts.count else { return false }
    let release = parts[...(dists + 1)].joined(separator: "_")
    var answer = false
    for file in ["InRelease", "Release"] {
      try? host.lines("\(release)_\(file)") { (line) throws(SensorError) in
        if line.skip("NotAutomatic: yes") { answer = true }
      }
    }
    return answer
  }

  /// Whether there are repositories of which packages are taken only where it is asked for by name: `@testing URL` (apk-repositories(5)). Which
  /// list is theirs cannot be seen, for its name is a hash of the URL.
  func hasTaggedRepositories(_ host: Host) -> Bool {
    guard manager == "apk" else { return false }
    var answer = false
    for path in [Self.repositories] + host.paths("/etc/apk/repositories.d/*.list") {
      try? host.lines(path) { (line) throws(SensorError) in if line.next == UInt8(ascii: "@") { answer = true } }
    }
    return answer
  }
}
