import Platform
import Telemetry

/// What a graphics driver says of one open file of its device, in `/proc/<pid>/fdinfo/<fd>` (Documentation/gpu/drm-usage-stats.rst):
///
/// ```
/// drm-driver:     i915
/// drm-client-id:  18
/// drm-pdev:       0000:00:02.0
/// drm-resident-system0:      125 MiB
/// drm-engine-render:         25662044495 ns
/// drm-engine-capacity-video: 2
/// drm-cycles-rcs:            28257900
/// drm-total-cycles-rcs:      7655183225
/// ```
struct DRMClient {
  struct Engine {
    let name: String
    /// Nanoseconds it worked for this client; where the driver gives none, cycles.
    var nanoseconds: UInt64?
    var cycles: UInt64?
    /// The engine's clock: what cycles are a share of.
    var totalCycles: UInt64?
    /// How many engines go by the name.
    var capacity: UInt64 = 1
  }

  /// Bytes of the GPU's own memory and of system memory; nil where the driver names no such region.
  struct Memory {
    var own: UInt64?
    var shared: UInt64?
  }

  /// Engines of one client; the drivers know at most a dozen names.
  private static let engineLimit = 32

  /// The same for all descriptors of one open file, in whatever processes.
  private(set) var id: UInt64?
  private(set) var engines: [Engine] = []
  private var resident = Memory()
  private var allocated = Memory()

  /// `drm-memory-` is the older name of `drm-resident-`; amdgpu prints both.
  var memory: Memory { resident.own != nil || resident.shared != nil ? resident : allocated }

  /// Nil when the text is of another kind of file, or of a driver without these statistics.
  init?(_ text: inout ByteScanner) {
    var isDRM = false
    while !text.isAtEnd {
      if text.skip("drm-") {
        if text.skip("driver:") {
          isDRM = true
        } else if text.skip("client-id:") {
          id = text.unsigned()
        } else if text.skip("engine-capacity-") {
          number(&text) { $0.capacity = max($1, 1) }
        } else if text.skip("engine-") {
          number(&text) { $0.nanoseconds = $1 }
        } else if text.skip("total-cycles-") {
          number(&text) { $0.totalCycles = $1 }
        } else if text.skip("cycles-") {
          number(&text) { $0.cycles = $1 }
        } else if text.skip("resident-") {
          Self.region(&text, &resident)
        } else if text.skip("memory-") {
          Self.region(&text, &allocated)
        }
      }
      text.skipLine()
    }
    if !isDRM { return nil }
  }

  private mutating func number(_ text: inout ByteScanner, _ body: (inout Engine, UInt64) -> Void) {
    let name = text.text(until: UInt8(ascii: ":"))
    guard text.skip(byte: UInt8(ascii: ":")), let value = text.unsigned() else { return }
    if let index = engines.firstIndex(where: { $0.name == name }) {
      body(&engines[index], value)
    } else if engines.count < Self.engineLimit {
      var engine = Engine(name: name)
      body(&engine, value)
      engines.append(engine)
    }
  }

  /// `vram`, `vram0` and `local0` are memory of the card; `system`, `gtt`, `stolen`, `memory` … are the machine's.
  private static func region(_ text: inout ByteScanner, _ memory: inout Memory) {
    let isOwn = text.skip("vram") || text.skip("local")
    _ = text.skip { $0 == UInt8(ascii: ":") || $0 == 0x0A }
    guard text.skip(byte: UInt8(ascii: ":")), var bytes = text.unsigned() else { return }
    text.skipBlanks()
    let shift = text.skip("KiB") ? 10 : text.skip("MiB") ? 20 : 0
    bytes = bytes > UInt64.max >> 21 ? 0 : bytes << UInt64(shift)
    if isOwn { memory.own = (memory.own ?? 0) &+ bytes } else { memory.shared = (memory.shared ?? 0) &+ bytes }
  }
}

/// The share of each engine's time that a client used between two looks.
struct DRMUsage {
  private var last: [DRMClient.Engine]
  private var nanoseconds: Int64

  init(_ client: DRMClient, at now: Int64) {
    last = client.engines
    nanoseconds = now
  }

  /// Takes a later look at the same client and gives `body` each engine's share in percent.
  ///
  /// A driver may show less than before for a while; then the larger value stays, as the document asks.
  mutating func advance(_ client: DRMClient, at now: Int64, _ body: (String, Double) -> Void) {
    var next = client.engines
    for index in next.indices {
      guard let known = last.first(where: { $0.name == next[index].name }) else { continue }
      if let share = Self.share(known, &next[index], nanoseconds: now - nanoseconds) {
        body(next[index].name, min(share / Double(next[index].capacity) * 100, 100))
      }
    }
    (last, nanoseconds) = (next, now)
  }

  private static func share(_ old: DRMClient.Engine, _ new: inout DRMClient.Engine, nanoseconds: Int64) -> Double? {
    if let before = old.nanoseconds, let after = new.nanoseconds {
      new.nanoseconds = max(before, after)
      return nanoseconds > 0 ? Double(max(after, before) - before) / Double(nanoseconds) : nil
    }
    guard let before = old.cycles, let after = new.cycles, let from = old.totalCycles, let to = new.totalCycles else {
      return nil
    }
    new.cycles = max(before, after)
    new.totalCycles = max(from, to)
    return to > from ? Double(max(after, before) - before) / Double(to - from) : nil
  }
}
