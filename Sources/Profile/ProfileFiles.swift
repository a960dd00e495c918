import Glibc

/// Reads a profile and its drop-ins from disk. Unsafe where read(2) and readdir(3) want it.
enum ProfileFiles {
  enum Outcome {
    case bytes([UInt8])
    /// An errno.
    case failure(Int32)
    case tooLarge
  }

  /// The profile, then `profile.d/*.yaml` beside it in the order of their names (bytewise), hidden ones left out.
  static func collect(_ path: String, _ problems: ProblemList) -> [(name: String, text: [UInt8])] {
    var files: [(name: String, text: [UInt8])] = []
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let directory = (slash.map { String(path[...$0]) } ?? "") + "profile.d"
    for name in [path] + dropIns(directory, problems) {
      switch read(name, limit: ProfileLimits.fileBytes) {
      case .bytes(let bytes): files.append((name, bytes))
      case .failure(let code):
        problems.add(.whole(name), "it cannot be read", why: String(cString: strerror(code)), remedy: remedy(code))
      case .tooLarge:
        problems.add(
          .whole(name), "the file is larger than 1 MiB", why: "a profile is a few KiB", remedy: "check that it is the right file")
      }
    }
    return files
  }

  private static func remedy(_ code: Int32) -> String {
    switch code {
    case ENOENT: "check the path; --profile FILE names another profile"
    case EACCES: "let its reader have it: chmod, or the group godwit"
    case EISDIR: "name a file, not a directory"
    default: "check the file"
    }
  }

  private static func dropIns(_ directory: String, _ problems: ProblemList) -> [String] {
    do throws(ListingFailure) {
      let names = try yamlFiles(in: directory, limit: ProfileLimits.dropIns + 1)
      if names.count > ProfileLimits.dropIns {
        problems.add(
          .whole(directory), "it holds more than \(ProfileLimits.dropIns) drop-ins", remedy: "join some of them")
      }
      return names.prefix(ProfileLimits.dropIns).map { "\(directory)/\($0)" }
    } catch {
      if error.code != ENOENT && error.code != ENOTDIR {
        problems.add(
          .whole(directory), "it cannot be listed", why: String(cString: strerror(error.code)), remedy: remedy(error.code))
      }
      return []
    }
  }

  /// Why a directory cannot be listed: an errno.
  struct ListingFailure: Error {
    let code: Int32
  }

  /// The names `*.yaml` in a directory in their order (bytewise), hidden ones left out; of more than `limit` any.
  static func yamlFiles(in directory: String, limit: Int) throws(ListingFailure) -> [String] {
    guard let stream = opendir(directory) else { throw ListingFailure(code: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while names.count < limit, let entry = readdir(stream) {
      // d_name is a C array of 256, a tuple in Swift.
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name.hasSuffix(".yaml"), !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  static func read(_ path: String, limit: Int) -> Outcome {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= limit {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        return .failure(errno)
      }
      if count == 0 { return .bytes(bytes) }
      bytes.append(contentsOf: chunk[..<count])
    }
    return .tooLarge
  }
}
