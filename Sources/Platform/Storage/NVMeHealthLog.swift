import CLinux
import Glibc
public import Telemetry

extension LinuxCalls {
  /// By NVME_IOCTL_ADMIN_CMD, which the kernel keeps for CAP_SYS_ADMIN. The controller's node is root's; a namespace's, which does as well,
  /// belongs to the group `disk`.
  public func nvmeHealthLog(_ controller: String) throws(SensorError) -> [UInt8] {
    let path = "/dev/\(controller)"
    var isBarred = false
    for node in [path, path + "n1"] {
      var page = [UInt8](repeating: 0, count: PlatformLimits.nvmeLogBytes)
      let result = godwit_nvme_log_page(node, 0x02, &page)
      switch -result {
      case 0: return page
      case ENOENT, ENXIO, ENODEV: continue
      case EACCES, EPERM: isBarred = true
      case let status where status < 0:
        throw .device(path, what: "the drive refuses its health log: status 0x\(String(result, radix: 16))")
      default: throw .io(path: node, errno: -result)
      }
    }
    throw isBarred ? Self.barredNVMe(path) : .absent(path)
  }

  static func barredNVMe(_ path: String) -> SensorError {
    .device(path, what: "permission denied: the agent needs CAP_SYS_ADMIN and the group disk (docs/storage.md)")
  }
}

extension RecordedCalls {
  /// From `nvme/<controller>`: the bytes as hexadecimal digits, blanks and line feeds between them as one likes; `!` is a drive that may not be
  /// asked.
  public func nvmeHealthLog(_ controller: String) throws(SensorError) -> [UInt8] {
    let name = "/nvme/\(controller)"
    return try recorded(name).read { (text) throws(SensorError) in
      if text.skip(byte: 0x21) { throw LinuxCalls.barredNVMe("/dev/\(controller)") }
      var digits: [UInt8] = []
      while !text.isAtEnd {
        for byte in text.word().utf8 {
          guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
            throw .malformed(path: name, what: "a recorded log page has hexadecimal digits alone")
          }
          digits.append(UInt8(digit))
        }
        if text.isAtLineEnd { text.skipLine() }
      }
      guard digits.count == 2 * PlatformLimits.nvmeLogBytes else {
        throw .malformed(path: name, what: "a recorded log page has \(PlatformLimits.nvmeLogBytes) bytes")
      }
      return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
  }
}
