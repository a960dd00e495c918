/// Why a sensor could not read.
public enum SensorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The hardware or file is not there. Normal; not a failure.
  case absent(String)
  /// A file or device answered with something its documentation does not allow.
  case malformed(path: String, what: String)
  /// A system call failed.
  case io(path: String, errno: Int32)
  /// The deadline passed.
  case timedOut
  /// A device, named first, could not be read or answered with nonsense: it, its driver or its library.
  case device(String, what: String)

  /// One line for people: what, where.
  public var description: String {
    switch self {
    case .absent(let what): "absent: \(what)"
    case .malformed(let path, let what): "malformed: \(path): \(what)"
    case .io(let path, let errno): "cannot read \(path): \(Self.text(errno))"
    case .timedOut: "timed out"
    case .device(let name, let what): "\(name): \(what)"
    }
  }

  /// The number with what it means, of those that are met: asm-generic/errno-base.h, the same on all machines that Swift is built for.
  private static func text(_ errno: Int32) -> String {
    let meaning: StaticString? =
      switch errno {
      case 1: "Operation not permitted"
      case 5: "Input/output error"
      case 6: "No such device or address"
      case 13: "Permission denied"
      case 16: "Device or resource busy"
      case 19: "No such device"
      case 22: "Invalid argument"
      case 24: "Too many open files"
      case 28: "No space left on device"
      default: nil
      }
    return meaning.map { "errno \(errno), \($0)" } ?? "errno \(errno)"
  }
}
