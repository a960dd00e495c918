import ArgumentParser
import Platform

/// The tree that `--root` names.
enum MachineRoot {
  /// A mistyped tree would read as a machine that has nothing.
  static func validate(_ root: String) throws {
    let host = Host(root: root)
    guard Host().exists(root) else { throw ValidationError("--root \(root): no such directory") }
    guard ["/proc", "/sys", "/.host"].contains(where: host.exists) else {
      throw ValidationError("--root \(root): no recorded device: neither 'proc' nor 'sys' nor '.host' is in it")
    }
  }
}
