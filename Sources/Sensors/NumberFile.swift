import Glibc
import Platform
import Telemetry

/// A file of one whole number, as sysfs has them, and the series that the number belongs to.
struct NumberFile {
  /// What reading it gave.
  enum Outcome {
    case value
    /// The driver has no reading now.
    case nothing
    case failed
    /// The file is gone.
    case vanished
  }

  /// Which values the driver's document allows.
  enum Range {
    case any
    /// Nothing is colder than 0 K: less is a fault.
    case celsius
    /// Some drivers say −1 for "not at work" (Documentation/admin-guide/thermal/intel_powerclamp.rst): less than 0 counts as 0.
    case fromZero
  }

  let file: HostFile
  let slot: Slot
  /// How many of the file's units make one of the metric's.
  let divisor: Double
  /// What the file may say that is no reading, in the metric's unit.
  var range = Range.any

  /// Reads it once. A problem is noted and costs only this value.
  func sample(into readings: inout Readings) -> Outcome {
    do throws(SensorError) {
      readings.set(slot, try value())
      return .value
    } catch {
      return Self.note(error, into: &readings)
    }
  }

  /// Reads it once, in the metric's unit.
  func value() throws(SensorError) -> Double {
    guard let raw = try file.integer() else { throw .malformed(path: file.path, what: "not a whole number") }
    let value = Double(raw) / divisor
    switch range {
    case .any: return value
    case .fromZero: return max(value, 0)
    case .celsius:
      guard value >= -273.15 else { throw .malformed(path: file.path, what: "colder than 0 K") }
      return value
    }
  }

  /// Notes a failed read. ENODATA and EAGAIN are how drivers say that there is no valid reading now (a wireless chip that is
  /// switched off, a conversion under way): the value is missing, and nothing is wrong.
  static func note(_ error: SensorError, into readings: inout Readings) -> Outcome {
    switch error {
    case .io(_, ENODATA), .io(_, EAGAIN): return .nothing
    case .absent:
      readings.note(error)
      return .vanished
    default:
      readings.note(error)
      return .failed
    }
  }
}
