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
    case .io(let path, let errno): "cannot read \(path): errno \(errno)"
    case .timedOut: "timed out"
    case .device(let name, let what): "\(name): \(what)"
    }
  }
}
