import Glibc
public import Telemetry

/// Programs on this machine.
public enum Program {
  /// The file that this process runs, or nil.
  public static var own: String? { Host().link("/proc/self/exe") }

  /// Where a program lies: beside this one, else in a directory of `PATH`.
  public static func find(_ name: String) -> String? {
    var places: [String] = []
    if let own = own, let slash = own.lastIndex(of: "/") { places.append(String(own[..<slash])) }
    if let path = getenv("PATH") { places += String(cString: path).split(separator: ":").map(String.init) }
    return places.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// What this program's environment says of some names, as `NAME=value`; those it does not have are left out.
  public static func environment(_ names: [String]) -> [String] {
    names.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
  }

  /// Replaces this program by another; `execv(3)`. Does not return.
  ///
  /// - Throws: `io` when it could not be started; this program then goes on.
  public static func replace(by path: String, arguments: [String]) throws(SensorError) -> Never {
    // execv wants C strings, ended by a null pointer; they are needed only until it takes over, or fails.
    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    pointers.append(nil)
    execv(path, pointers)
    let code = errno
    for pointer in pointers { free(pointer) }
    throw .io(path: path, errno: code)
  }
}
