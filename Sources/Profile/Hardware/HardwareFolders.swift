import Glibc

/// Where descriptions of hardware lie: folders that hold `chips/`, `boards/` and `hats/`, the first one first.
///
/// A file of an earlier folder stands for one of the same name in a later one, so that a device's own files win over those shipped.
public struct HardwareFolders: Hashable, Sendable {
  /// The folders, whether they exist or not.
  public let paths: [String]

  /// Names the folders.
  public init(_ paths: [String]) { self.paths = paths }

  /// Those of this machine: `GODWIT_HARDWARE` (separated by colons), `/etc/godwit/hardware`, beside the program
  /// (`../share/godwit/hardware`), `/usr/share/godwit/hardware`, and for a program in a build folder that of its checkout.
  ///
  /// `program` is the file that this process runs.
  public static func current(
    variables: [String: String], program: String? = HardwareFolders.ownProgram()
  ) -> HardwareFolders {
    var paths = (variables["GODWIT_HARDWARE"] ?? "").split(separator: ":").map(String.init)
    paths.append("/etc/godwit/hardware")
    var ancestors: [String] = []
    var folder = program ?? ""
    while let slash = folder.lastIndex(of: "/"), ancestors.count < ProfileLimits.hardwareAncestors {
      folder = String(folder[..<slash])
      ancestors.append(folder)
    }
    if ancestors.count > 1 { paths.append("\(ancestors[1])/share/godwit/hardware") }
    paths.append("/usr/share/godwit/hardware")
    if let checkout = ancestors.map({ "\($0)/hardware" }).first(where: { access("\($0)/chips", F_OK) == 0 }) {
      paths.append(checkout)
    }
    var seen: Set<String> = []
    return HardwareFolders(paths.filter { seen.insert($0).inserted })
  }

  /// The file that this process runs; nil without /proc.
  public static func ownProgram() -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  /// The files `<folder>/<kind>/<name>.yaml` by name, for example of the kind `chips`; at most `ProfileLimits.hardwareFiles`.
  public func files(_ kind: String) -> [String: String] {
    var files: [String: String] = [:]
    for path in paths {
      let directory = "\(path)/\(kind)"
      for file in (try? ProfileFiles.yamlFiles(in: directory, limit: ProfileLimits.hardwareFiles)) ?? [] {
        let name = String(file.dropLast(".yaml".utf8.count))
        if files[name] == nil, files.count < ProfileLimits.hardwareFiles { files[name] = "\(directory)/\(file)" }
      }
    }
    return files
  }
}
