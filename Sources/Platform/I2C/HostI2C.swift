import Glibc
import Telemetry

extension Host {
  /// A bus for one user: `/dev/i2c-<number>` of this machine, or at any other root what is recorded in
  /// `<root>/.host/i2c/<number>` (the text is drawn in I2CRecording.swift).
  ///
  /// - Throws: `absent` when there is no such bus; `io` with EACCES when rights are missing, `malformed` when a recording is.
  public func i2cBus(_ number: Int) throws(I2CError) -> any I2CBus {
    let path = root + i2cNode(number)
    let port: any I2CPort = root.isEmpty ? try LinuxI2CPort(path) : RecordedI2CPort(try recordedBus(i2cNode(number)))
    return SharedI2CBus(port: port, lock: .shared(path: path)) { address in i2cOwner(bus: number, address: address) }
  }

  private func recordedBus(_ path: String) throws(I2CError) -> I2CRecording {
    do throws(SensorError) {
      return try file(path).read { (text) throws(SensorError) in try I2CRecording(text.rest(), path: path) }
    } catch {
      switch error {
      case .absent: throw .absent
      case .io(_, let errno): throw .io(errno: errno)
      case .malformed(let path, let what): throw .malformed(path: path, what: what)
      default: throw .io(errno: EBADMSG)
      }
    }
  }
}
