import Platform
import Telemetry

/// The file in which a daemon writes the number of its main process.
struct PIDFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// The main process and its descendants, none where the file is not there or its process is gone.
  ///
  /// - Throws: when it cannot be read or holds no number.
  func processes(_ scan: WatchedGroup.Scan, at now: Int64) throws(SensorError) -> [Int32] {
    guard let main = try process(scan, at: now) else { return [] }
    var found: Set<Int32> = [main]
    var ids = [main]
    // Children mostly come behind their parents; each round finds one more generation of the others.
    for _ in 0..<ProcessLimits.generations {
      let known = found.count
      for id in scan.table.ids where !found.contains(id) {
        guard let parent = scan.table.processes[id]?.stat.parent, found.contains(parent) else { continue }
        found.insert(id)
        ids.append(id)
      }
      if found.count == known { break }
    }
    return ids
  }

  private func process(_ scan: WatchedGroup.Scan, at now: Int64) throws(SensorError) -> Int32? {
    let file: (bytes: [UInt8], ageMilliseconds: Int64)
    do {
      file = try scan.host.untrustedFile(path, limit: 64)
    } catch {
      if case .absent = error { return nil }
      throw error
    }
    let number = ByteScanner.scan(bytes: file.bytes) { $0.unsigned() }
    guard let number, number > 0, number <= UInt64(Int32.max) else {
      throw .malformed(path: path, what: "it begins with a number")
    }
    let id = Int32(number)
    guard let process = scan.table.processes[id] else { return nil }
    // One that began after the file was written is another that was given the number.
    let age = now / 1_000_000 - Int64(Double(process.stat.startTicks) / scan.ticksPerSecond * 1000)
    guard file.ageMilliseconds <= age + ProcessLimits.pidFileToleranceMilliseconds else { return nil }
    return id
  }
}
