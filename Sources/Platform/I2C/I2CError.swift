import Glibc

/// Why a transfer failed. What the kernel's drivers answer is in Documentation/i2c/fault-codes.rst.
public enum I2CError: Error, Hashable, Sendable {
  /// Nothing answers at the address, or the chip refused a byte.
  case noAcknowledge
  /// A kernel driver owns the address; its name where sysfs tells it. Its values are in hwmon or IIO: see `Host.i2cOwner`.
  case busy(driver: String?)
  /// The bus is stuck, or others held it for too long.
  case timedOut
  /// Another controller won the bus.
  case arbitrationLost
  /// The adapter cannot make such a transfer: most often it knows SMBus only, where at most 32 bytes follow one register number.
  case unsupported
  /// No such bus.
  case absent
  /// A recorded bus does not follow its format.
  case malformed(path: String, what: String)
  /// Any other failure of the system call.
  case io(errno: Int32)
}

extension I2CError: CustomStringConvertible {
  /// One line for people: what, and where it is not plain what to do.
  public var description: String {
    switch self {
    case .noAcknowledge: "no acknowledgement: nothing answers at this address, or the chip refused"
    case .busy(let driver): "the kernel driver \(driver ?? "of another name") has this address"
    case .timedOut: "timed out: the bus is stuck, or others keep it"
    case .arbitrationLost: "another controller on the bus won each time"
    case .unsupported: "the adapter cannot make this transfer: it may know SMBus only"
    case .absent: "no such bus"
    case .malformed(let path, let what): "the recording \(path) has a mistake: \(what)"
    case .io(EACCES): "permission denied: the user must be in the group i2c"
    case .io(let code): String(cString: strerror(code))
    }
  }
}

extension I2CError {
  /// What open(2) of a device node answers.
  init(opening code: Int32) {
    switch code {
    case ENOENT, ENODEV, ENXIO, ENOTDIR: self = .absent
    default: self = .io(errno: code)
    }
  }

  /// What a transfer answers. Some adapters say EIO, EREMOTEIO or ENODEV where a chip did not acknowledge its address.
  init(transferring code: Int32) {
    switch code {
    case ENXIO, EREMOTEIO, EIO, ENODEV: self = .noAcknowledge
    case EBUSY: self = .busy(driver: nil)
    case ETIMEDOUT: self = .timedOut
    case EAGAIN: self = .arbitrationLost
    case EOPNOTSUPP: self = .unsupported
    default: self = .io(errno: code)
    }
  }
}
