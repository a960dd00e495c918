/// Why a sensor could not read.
public enum SensorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The hardware or file is not there. Normal; not a failure.
  case absent(String)
  /// A file or device answered with something its documentation does not allow.
  case malformed(path: String, what: String)
  /// A system call failed.
  case io(path: String, errno: Int32)
  /// A device on a bus, named first, could not be read or answered with nonsense.
  case device(String, String)
  /// The deadline passed.
  case timedOut

  /// One line for people: what, where.
  public var description: String {
    switch self {
    case .absent(let what): "absent: \(what)"
    case .malformed(let path, let what): "malformed: \(path): \(what)"
    case .io(let path, let errno): "cannot read \(path): errno \(errno)"
    case .device(let device, let what): "\(device): \(what)"
    case .timedOut: "timed out"
    }
  }
}
