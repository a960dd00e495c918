import Glibc
import Telemetry

/// A bus that answers from a recording. Its chips remember what is written to them for as long as this object lives.
final class RecordedI2CPort: I2CPort {
  private var recording: I2CRecording

  init(_ recording: I2CRecording) {
    self.recording = recording
  }

  func attempt(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    if let fault = recording.fault { try fail(fault) }
    if recording.knowsOnlySMBus, SMBusTransfer(messages) == nil { throw .unsupported }
    guard var chip = recording.chips[address] else { throw .noAcknowledge }
    defer { recording.chips[address] = chip }
    if let fault = chip.fault { try fail(fault) }
    switch chip.scripted(messages) {
    case .bytes(let bytes): return bytes
    case .fault(let fault): try fail(fault)
    case nil: break
    }
    return try chip.fromRegisters(messages)
  }

  private func fail(_ fault: I2CRecording.Fault) throws(I2CError) {
    if fault.delayMilliseconds > 0 { Thread.sleep(milliseconds: fault.delayMilliseconds) }
    throw fault.error
  }
}

extension I2CRecording.Chip {
  /// The next answer to a listed transfer; nil when it is not listed.
  fileprivate mutating func scripted(_ messages: [I2CMessage]) -> I2CRecording.Outcome? {
    guard let outcomes = script[messages], let outcome = outcomes.first else { return nil }
    if outcomes.count > 1 { script[messages] = Array(outcomes.dropFirst()) }
    if case .bytes = outcome { for case .write(let bytes) in messages { applyEffects(of: bytes) } }
    return outcome
  }

  fileprivate mutating func fromRegisters(_ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    var answer: [UInt8] = []
    for message in messages {
      switch message {
      case .write(let bytes): try store(bytes)
      case .read(let count): try load(count, into: &answer)
      }
    }
    return answer
  }

  private mutating func store(_ written: [UInt8]) throws(I2CError) {
    guard let register = written.first else { return }
    let payload = written.dropFirst()
    guard has(register) else { throw .io(errno: ENODATA) }
    pointer = register
    if let width = wide[register]?.count {
      guard payload.isEmpty || payload.count == width else { throw .io(errno: ENODATA) }
      if !payload.isEmpty { wide[register] = Array(payload) }
    } else {
      for byte in payload {
        guard let register = pointer, bytes[register] != nil else { throw .io(errno: ENODATA) }
        bytes[register] = byte
        pointer = register &+ 1
      }
    }
    applyEffects(of: written)
  }

  private mutating func load(_ count: Int, into answer: inout [UInt8]) throws(I2CError) {
    var register = pointer ?? lowestRegister
    if let value = wide[register] {
      guard count <= value.count else { throw .io(errno: ENODATA) }
      answer += value.prefix(count)
    } else {
      for _ in 0..<count {
        guard let byte = bytes[register] else { throw .io(errno: ENODATA) }
        answer.append(byte)
        register = register &+ 1
      }
    }
    pointer = register
  }

  private var lowestRegister: UInt8 {
    min(bytes.keys.min() ?? .max, wide.keys.min() ?? .max)
  }

  private mutating func applyEffects(of written: [UInt8]) {
    for effect in effects where effect.written == written {
      if wide[effect.register] != nil || effect.bytes.count > 1 {
        wide[effect.register] = effect.bytes
      } else {
        bytes[effect.register] = effect.bytes[0]
      }
    }
  }
}
