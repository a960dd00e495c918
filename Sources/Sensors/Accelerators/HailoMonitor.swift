import Platform
import Telemetry

/// What a program that runs networks says of them: HailoRT writes a file of this kind each second when HAILO_MONITOR=1 is set.
///
/// libhailort/scheduler_mon.proto of hailo-ai/hailort, the same from 4.17 to 5.2:
///
/// ```
/// ProtoMon:            pid 1, networks_infos 2 …, net_frames_infos 3 …, device_infos 4 …
/// ProtoMonInfo:        network_name 1, fps 2 (double), utilization 3 (double)
/// ProtoMonDeviceInfo:  device_id 1, utilization 2 (double), device_arch 3
/// ```
struct HailoMonitor {
  struct Network {
    var name = ""
    /// DBL_MAX when the network has no output stream.
    var framesPerSecond: Double?
    var percent: Double?
  }

  struct Device {
    var id = ""
    var percent: Double?
  }

  private(set) var networks: [Network] = []
  private(set) var devices: [Device] = []

  init(_ bytes: [UInt8]) throws(ProtobufDamage) {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.type) {
      case (2, .delimited): networks.append(try Self.network(try reader.message()))
      case (4, .delimited): devices.append(try Self.device(try reader.message()))
      default: try reader.skip(field)
      }
      guard networks.count + devices.count <= SensorHostLimits.monitorEntries else { throw .tooLarge }
    }
  }

  private static func network(_ message: ProtobufReader) throws(ProtobufDamage) -> Network {
    var (message, network) = (message, Network())
    while let field = try message.next() {
      switch (field.number, field.type) {
      case (1, .delimited): network.name = try message.string()
      case (2, .fixed64): network.framesPerSecond = sane(try message.fixed64(), most: 1e6)
      case (3, .fixed64): network.percent = sane(try message.fixed64(), most: 1e4)
      default: try message.skip(field)
      }
    }
    return network
  }

  private static func device(_ message: ProtobufReader) throws(ProtobufDamage) -> Device {
    var (message, device) = (message, Device())
    while let field = try message.next() {
      switch (field.number, field.type) {
      case (1, .delimited): device.id = try message.string()
      case (2, .fixed64): device.percent = sane(try message.fixed64(), most: 1e4)
      default: try message.skip(field)
      }
    }
    return device
  }

  /// The number in a double's bits; nil for what no device can say.
  private static func sane(_ bits: UInt64, most: Double) -> Double? {
    let value = Double(bitPattern: bits)
    return value >= 0 && value <= most ? value : nil
  }
}

extension HailoMonitor {
  static let directory = "/tmp/hmon_files"

  /// The files of all programs that run now. Anybody can write there, so what is no monitor file costs only itself.
  static func all(on host: Host, into readings: inout Readings) -> [HailoMonitor] {
    var monitors: [HailoMonitor] = []
    guard host.exists(directory) else { return [] }
    readings.attempt { (readings) throws(SensorError) in
      // Written under the name `….tmp` first.
      let names = try host.list(directory).filter { !$0.hasSuffix(".tmp") }
      if names.count > SensorHostLimits.monitorFiles {
        readings.note(.malformed(path: directory, what: "\(names.count) files; \(SensorHostLimits.monitorFiles) are read"))
      }
      for name in names.prefix(SensorHostLimits.monitorFiles) {
        readings.attempt { (_) throws(SensorError) in
          if let monitor = try read("\(directory)/\(name)", on: host) { monitors.append(monitor) }
        }
      }
    }
    return monitors
  }

  /// Nil when its program does not write it any more: a crash leaves the file behind.
  private static func read(_ path: String, on host: Host) throws(SensorError) -> HailoMonitor? {
    let (bytes, age) = try host.untrustedFile(path, limit: SensorHostLimits.monitorBytes)
    guard age <= SensorHostLimits.monitorMilliseconds else { return nil }
    do throws(ProtobufDamage) {
      return try HailoMonitor(bytes)
    } catch {
      throw .malformed(path: path, what: "no monitor file of HailoRT (\(error))")
    }
  }
}
