import Platform
import Telemetry

/// A host of a test that has only what its conformance says itself: all else is absent.
protocol AbsentCalls: HostCalls {}

extension AbsentCalls {
  func fileSystemUsage(_ path: String) throws(SensorError) -> FileSystemUsage { throw .absent(path) }
  func clockState() throws(SensorError) -> ClockState { throw .absent("clock") }
  func firmwareCommand(_ command: String) throws(SensorError) -> String { throw .absent("firmware") }
  func nvmeHealthLog(_ controller: String) throws(SensorError) -> [UInt8] { throw .absent(controller) }
  func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64 { 0 }
  func run(
    _ path: String, _ arguments: [String], timeoutMilliseconds: Int, outputBytes: Int
  ) throws(SubprocessFailure) -> Subprocess.Outcome { throw .absent(path) }
  func datagrams(at path: String, mode: UInt32) throws(SensorError) -> any Datagrams { throw .absent(path) }
  func netlink(_ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void) throws(SensorError) {
    throw .absent(request.name)
  }
  func dbus(at path: String, isBus: Bool) -> any DBus { RecordedCalls(directory: "/nowhere").dbus(at: path, isBus: isBus) }
  func page(
    _ target: String, of socket: String, timeoutMilliseconds: Int, _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) -> Int { throw .absent(socket) }
  var hypervisorSignature: String? { nil }
  func ask(_ request: ServiceRequest) throws(SensorError) -> [UInt8] { throw .absent(request.name) }
  func blockTrace() throws(SensorError) -> any BlockTrace { throw .absent("tracepoints") }
  func time(_ probe: DiskProbe) throws(SensorError) -> Int64 { throw .absent(probe.path) }
  func fileWatches() throws(SensorError) -> any FileWatches { throw .absent("inotify") }
  var clockTicksPerSecond: Int { 100 }
  var pageBytes: Int { 4096 }
  var gpio: any GPIOChips { RecordedCalls(directory: "/nowhere").gpio }
}
