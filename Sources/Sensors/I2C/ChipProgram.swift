public import Platform
public import Telemetry

/// Reads a device by the steps of its chip's description.
public struct ChipProgram {
  private let chip: ChipDescription
  private let device: ChipDevice
  private let evaluation: ChipEvaluation
  private let wait: (Int) -> Void
  /// What the start read; empty until the chip was started.
  private var kept: [String: [UInt8]] = [:]
  private var isStarted = false

  /// Touches nothing. `wait` passes milliseconds; in a recording nothing has to be waited for.
  public init(_ chip: ChipDescription, device: ChipDevice, wait: @escaping (Int) -> Void) {
    self.chip = chip
    self.device = device
    self.wait = wait
    evaluation = ChipEvaluation(chip, options: device.options)
  }

  /// Reads it once and makes values of the bytes, in the order of the description. After a fault the chip is started anew:
  /// it may have lost its power.
  ///
  /// - Throws: when the chip could not be read. What costs single values only is said there.
  public mutating func read(_ bus: any I2CBus) throws(ChipFault) -> [Result<Double, ChipFault>] {
    do throws(ChipFault) {
      // The bus is held so that no one else's writes come between a request and its answer.
      try Self.onBus { () throws(I2CError) in try bus.hold() }
      defer { bus.release() }
      if !isStarted {
        try identify(bus)
        kept = try run(chip.start, bus)
        isStarted = true
      }
      let reads = try readings(bus)
      return evaluation.values(of: kept.merging(reads) { _, new in new })
    } catch {
      isStarted = false
      throw error
    }
  }

  /// What the steps read. When a checksum does not fit they are done once more, all of them: some chips give a measurement away
  /// only once. A disturbed bit is not worth a gap.
  private func readings(_ bus: any I2CBus) throws(ChipFault) -> [String: [UInt8]] {
    for _ in 1..<I2CLimits.checksumAttempts {
      do throws(ChipFault) { return try run(chip.steps, bus) } catch {
        guard case .checksum = error else { throw error }
      }
    }
    return try run(chip.steps, bus)
  }

  private func identify(_ bus: any I2CBus) throws(ChipFault) {
    guard let identity = chip.identity else { return }
    let found = try transfer(bus, [.write(identity.write), .read(identity.equals.count)])
    guard found == identity.equals else { throw .identity(expected: identity.equals, found: found) }
  }

  private func run(_ steps: [ChipStep], _ bus: any I2CBus) throws(ChipFault) -> [String: [UInt8]] {
    var reads: [String: [UInt8]] = [:]
    for step in steps {
      switch step {
      case .wait(let milliseconds): wait(milliseconds)
      case .transfer(let written, let read):
        var messages: [I2CMessage] = []
        if !written.isEmpty { messages.append(.write(written.map(byte))) }
        guard let read else {
          _ = try transfer(bus, messages)
          continue
        }
        reads[read.name] = try self.read(read, bus, messages)
      }
    }
    return reads
  }

  private func read(_ read: ChipRead, _ bus: any I2CBus, _ messages: [I2CMessage]) throws(ChipFault) -> [UInt8] {
    let bytes = try transfer(bus, messages + [.read(read.count)])
    guard bytes.count == read.count else { throw .short(read: read.name, wanted: read.count, got: bytes.count) }
    if let checksum = read.checksum, !Self.fits(checksum, bytes) { throw .checksum(read: read.name) }
    return bytes
  }

  private static func fits(_ checksum: ChipChecksum, _ bytes: [UInt8]) -> Bool {
    stride(from: 0, to: bytes.count - checksum.every, by: checksum.every + 1).allSatisfy { start in
      let end = start + checksum.every
      return CRC8.check(bytes[start..<end], polynomial: checksum.polynomial, initial: checksum.initial) == bytes[end]
    }
  }

  private func byte(_ byte: ChipByte) -> UInt8 {
    var bits = byte.bits
    for name in byte.options {
      guard let option = chip.options.first(where: { $0.name == name }) else { continue }
      bits |= option.choices.first { $0.number == device.options[name] }?.code ?? 0
    }
    return bits
  }

  private func transfer(_ bus: any I2CBus, _ messages: [I2CMessage]) throws(ChipFault) -> [UInt8] {
    try Self.onBus { () throws(I2CError) in try bus.transfer(device.address, messages) }
  }

  private static func onBus<Answer>(_ body: () throws(I2CError) -> Answer) throws(ChipFault) -> Answer {
    do throws(I2CError) { return try body() } catch { throw .bus(error) }
  }
}
