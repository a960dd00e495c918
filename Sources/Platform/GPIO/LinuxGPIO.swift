import CGPIOD
import CLinux
import Glibc
import Synchronization

/// The kernel's GPIO character devices through libgpiod.
public struct LinuxGPIO: GPIOChips {
  /// The running kernel's.
  public init() {}

  /// libgpiod 2 has the kernel do it.
  public var debounces: Bool { GODWIT_GPIO_FIRST_INTERFACE == 0 }
  /// 16 a line with libgpiod 1, 1024 a request with libgpiod 2.
  public var queuedEdges: Int { Int(GODWIT_GPIO_FIRST_INTERFACE == 0 ? GODWIT_GPIO_SECOND_QUEUE : GODWIT_GPIO_FIRST_QUEUE) }

  /// From `/dev`. Raspberry Pi OS links old names to new chips: each chip is listed once.
  public func chips() throws(GPIOError) -> [GPIOChip] {
    let entries = ((try? Host().list("/dev")) ?? []).filter { $0.hasPrefix("gpiochip") }
    var found: [GPIOChip] = []
    var failure: GPIOError?
    for entry in entries {
      do throws(GPIOError) {
        let handle = try Self.open(entry)
        defer { godwit_gpio_close(handle) }
        let chip = try Self.facts(of: handle, entry)
        if !found.contains(where: { $0.name == chip.name }) { found.append(chip) }
      } catch {
        // One that was unplugged since the listing is none.
        if case .absent = error { continue }
        failure = failure ?? error
      }
    }
    if let failure, found.isEmpty { throw failure }
    return found
  }

  /// One call a line, without taking it.
  public func lines(of chip: String) throws(GPIOError) -> [GPIOLine] {
    let handle = try Self.open(chip)
    defer { godwit_gpio_close(handle) }
    var lines: [GPIOLine] = []
    for offset in 0..<(try Self.facts(of: handle, chip).lineCount) {
      var facts = godwit_gpio_line_facts()
      let result = godwit_gpio_line(handle, UInt32(offset), &facts)
      guard result == 0 else { throw Self.failure(-result, "\(chip) \(offset)") }
      lines.append(
        GPIOLine(
          offset: offset, name: Self.text(facts.name), consumer: Self.text(facts.consumer), isUsed: facts.used != 0,
          isOutput: facts.output != 0))
    }
    return lines
  }

  /// Takes inputs.
  public func request(chip: String, inputs: [GPIOInput], consumer: String) throws(GPIOError) -> any GPIOInputs {
    let wishes = inputs.map { input in
      godwit_gpio_line_wish(
        offset: UInt32(clamping: input.offset), debounce_microseconds: UInt32(clamping: input.debounceMicroseconds), output: 0,
        bias: Self.code(input.bias), active_low: input.isActiveLow ? 1 : 0, edges: Self.code(input.edges), drive: 0, value: 0)
    }
    return HeldLines(try take(chip, wishes, consumer), chip: chip, tellsEdges: inputs.contains { $0.edges != .none })
  }

  /// Takes outputs.
  public func request(chip: String, outputs: [GPIOOutput], consumer: String) throws(GPIOError) -> any GPIOOutputs {
    let wishes = outputs.map { output in
      godwit_gpio_line_wish(
        offset: UInt32(clamping: output.offset), debounce_microseconds: 0, output: 1, bias: 0,
        active_low: output.isActiveLow ? 1 : 0, edges: 0, drive: Self.code(output.drive), value: output.isActive ? 1 : 0)
    }
    return HeldLines(try take(chip, wishes, consumer), chip: chip, tellsEdges: false)
  }

  private func take(
    _ chip: String, _ wishes: [godwit_gpio_line_wish], _ consumer: String
  ) throws(GPIOError) -> UnsafeMutablePointer<godwit_gpio_request> {
    var request: UnsafeMutablePointer<godwit_gpio_request>?
    let result = godwit_gpio_request("/dev/" + chip, consumer, wishes, UInt32(clamping: wishes.count), &request)
    if let request { return request }
    let named = "\(chip) " + wishes.map { "\($0.offset)" }.joined(separator: ",")
    switch -result {
    case EBUSY:
      let held = (try? lines(of: chip))?.first { line in line.isUsed && wishes.contains { $0.offset == line.offset } }
      throw .busy(line: "\(chip) \(held.map { "\($0.offset)" } ?? named)", consumer: held?.consumer ?? "")
    case ENODEV, ENXIO:
      // What the kernel answers when a line has no interrupt (drivers/gpio/gpiolib-cdev.c), as on many port expanders.
      guard wishes.contains(where: { $0.edges != 0 }), (try? lines(of: chip)) != nil else { throw .absent(named) }
      throw .unsupported(line: named, what: "the chip tells no edges: it has no interrupt")
    case EINVAL, EOPNOTSUPP, 524:  // 524 is the kernel's own ENOTSUPP, which gets out at times.
      throw .unsupported(line: named, what: "the chip or the kernel refuses its settings, or it does not exist")
    default: throw Self.failure(-result, named)
    }
  }

  private static func open(_ chip: String) throws(GPIOError) -> OpaquePointer {
    var handle: OpaquePointer?
    let result = godwit_gpio_open("/dev/" + chip, &handle)
    guard let handle else { throw failure(-result, "/dev/" + chip) }
    return handle
  }

  private static func facts(of handle: OpaquePointer, _ chip: String) throws(GPIOError) -> GPIOChip {
    var facts = godwit_gpio_chip_facts()
    let result = godwit_gpio_chip(handle, &facts)
    guard result == 0 else { throw failure(-result, chip) }
    // The kernel allows no more in practice; a wrong count must not become an endless listing.
    return GPIOChip(
      name: text(facts.name), label: text(facts.label), lineCount: min(Int(facts.lines), PlatformLimits.gpioChipLines))
  }

  fileprivate static func failure(_ code: Int32, _ what: String) -> GPIOError {
    switch code {
    case ENOENT, ENODEV, ENXIO: .absent(what)
    case EACCES, EPERM: .barred(what)
    default: .io(what: what, errno: code)
    }
  }

  private static func text<Bytes>(_ bytes: Bytes) -> String {
    withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func code(_ bias: GPIOInput.Bias) -> UInt8 {
    switch bias {
    case .asIs: UInt8(GODWIT_GPIO_BIAS_AS_IS)
    case .disabled: UInt8(GODWIT_GPIO_BIAS_DISABLED)
    case .pullUp: UInt8(GODWIT_GPIO_BIAS_PULL_UP)
    case .pullDown: UInt8(GODWIT_GPIO_BIAS_PULL_DOWN)
    }
  }

  private static func code(_ edges: GPIOInput.Edges) -> UInt8 {
    switch edges {
    case .none: UInt8(GODWIT_GPIO_EDGE_NONE)
    case .rising: UInt8(GODWIT_GPIO_EDGE_RISING)
    case .falling: UInt8(GODWIT_GPIO_EDGE_FALLING)
    case .both: UInt8(GODWIT_GPIO_EDGE_BOTH)
    }
  }

  private static func code(_ drive: GPIOOutput.Drive) -> UInt8 {
    switch drive {
    case .pushPull: UInt8(GODWIT_GPIO_PUSH_PULL)
    case .openDrain: UInt8(GODWIT_GPIO_OPEN_DRAIN)
    case .openSource: UInt8(GODWIT_GPIO_OPEN_SOURCE)
    }
  }
}

/// Lines that libgpiod took for this process. The lock is for libgpiod, whose objects are of one thread at a time.
private final class HeldLines: GPIOInputs, GPIOOutputs {
  let descriptors: [Int32]
  private let chip: String
  private let request: Mutex<UnsafeMutablePointer<godwit_gpio_request>>

  init(_ taken: sending UnsafeMutablePointer<godwit_gpio_request>, chip: String, tellsEdges: Bool) {
    self.chip = chip
    descriptors = tellsEdges ? (0..<godwit_gpio_descriptors(taken)).map { godwit_gpio_descriptor(taken, $0) } : []
    request = Mutex(taken)
  }

  deinit { request.withLock { godwit_gpio_release($0) } }

  func takeEdges() throws(GPIOError) -> GPIOEdges {
    try request.withLock { (request) throws(GPIOError) -> GPIOEdges in
      var taken = GPIOEdges()
      var clock: EventClock?
      while taken.edges.count < PlatformLimits.gpioEdges {
        // poll(2) first: a read without an edge would block.
        let ready = Poll.wait(descriptors.map { ($0, .readable) }, milliseconds: 0)
        guard ready.contains(where: { !$0.isEmpty }) else { break }
        for (place, ready) in ready.enumerated() where !ready.isEmpty {
          guard ready.rawValue & Int16(POLLIN) != 0 else { throw .absent("\(chip) is gone") }
          let now = clock ?? EventClock()
          clock = now
          try take(from: request, place, now, into: &taken)
        }
      }
      return taken
    }
  }

  private func take(
    from request: UnsafeMutablePointer<godwit_gpio_request>, _ place: Int, _ clock: EventClock, into taken: inout GPIOEdges
  ) throws(GPIOError) {
    let count = withUnsafeTemporaryAllocation(of: godwit_gpio_edge.self, capacity: Int(GODWIT_GPIO_LINES)) { buffer in
      guard let base = buffer.baseAddress else { return -ENOMEM }
      let count = godwit_gpio_edges(request, UInt32(place), base)
      for edge in buffer.prefix(Int(max(count, 0))) {
        taken.edges.append(
          GPIOEdge(
            index: Int(edge.index), isRising: edge.rising != 0, nanoseconds: clock.bootNanoseconds(edge.nanoseconds),
            sequence: edge.sequence == 0 ? nil : edge.sequence))
      }
      return count
    }
    guard count >= 0 else { throw LinuxGPIO.failure(-count, chip) }
    if GODWIT_GPIO_FIRST_INTERFACE != 0, count >= GODWIT_GPIO_FIRST_QUEUE, !taken.fullQueues.contains(place) {
      taken.fullQueues.append(place)
    }
  }

  func isActive(_ index: Int) throws(GPIOError) -> Bool {
    let value = request.withLock { godwit_gpio_value($0, UInt32(index)) }
    guard value >= 0 else { throw LinuxGPIO.failure(-value, "\(chip): reading a level") }
    return value != 0
  }

  func set(_ index: Int, active: Bool) throws(GPIOError) {
    let result = request.withLock { godwit_gpio_set($0, UInt32(index), active ? 1 : 0) }
    guard result >= 0 else { throw LinuxGPIO.failure(-result, "\(chip): setting a level") }
  }
}

/// Brings the kernel's event times to the agent's clock.
///
/// Events carry CLOCK_MONOTONIC; those of the first interface carried CLOCK_REALTIME before Linux 5.7, and nothing tells which: an event
/// was just now, so the nearer clock is the one.
private struct EventClock {
  private let monotonic = EventClock.now(CLOCK_MONOTONIC)
  private let real = EventClock.now(CLOCK_REALTIME)
  private let boot = EventClock.now(CLOCK_BOOTTIME)

  func bootNanoseconds(_ event: Int64) -> Int64 {
    let isReal = (event - real).magnitude < (event - monotonic).magnitude
    return min(event &+ boot &- (isReal ? real : monotonic), boot)
  }

  private static func now(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
