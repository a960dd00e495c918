import Telemetry

/// A bus as one of its users has it: waits for the others, repeats what may succeed a moment later, and keeps a deadline over all.
final class SharedI2CBus: I2CBus {
  private let port: any I2CPort
  private let lock: I2CBusLock
  private let owner: (UInt8) -> I2COwner?
  private var holder: UInt64?
  /// Addresses that no kernel driver had when they were first used.
  private var free: Set<UInt8> = []

  /// - Parameter owner: the kernel driver of an address. I2C_RDWR would talk to its chip behind its back.
  init(port: any I2CPort, lock: I2CBusLock, owner: @escaping (UInt8) -> I2COwner?) {
    self.port = port
    self.lock = lock
    self.owner = owner
  }

  deinit { release() }

  func hold() throws(I2CError) {
    guard self.holder == nil else { return }
    guard let holder = lock.take(waitMilliseconds: PlatformLimits.i2cWaitMilliseconds) else { throw .timedOut }
    self.holder = holder
  }

  func release() {
    if let holder { lock.leave(holder) }
    holder = nil
  }

  func transfer(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    guard address < 0x80, isBounded(messages) else { throw .unsupported }
    if !free.contains(address) {
      if let owner = owner(address) { throw .busy(driver: owner.driver) }
      free.insert(address)
    }
    guard holder == nil else { return try transferWhileHeld(address, messages) }
    try hold()
    defer { release() }
    return try transferWhileHeld(address, messages)
  }

  private func transferWhileHeld(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    guard let holder, lock.beginTransfer(holder) else {
      release()
      throw .timedOut
    }
    defer { lock.endTransfer(holder) }
    let deadline = SystemClock.bootMilliseconds + Int64(PlatformLimits.i2cTransferMilliseconds)
    var attempts = 0
    while true {
      do throws(I2CError) {
        return try port.attempt(address, messages)
      } catch {
        attempts += 1
        guard attempts < error.attempts, SystemClock.bootMilliseconds < deadline else { throw error }
        Thread.sleep(milliseconds: PlatformLimits.i2cPollMilliseconds)
      }
    }
  }

  private func isBounded(_ messages: [I2CMessage]) -> Bool {
    guard !messages.isEmpty, messages.count <= PlatformLimits.i2cMessages else { return false }
    var bytes = 0
    for message in messages {
      switch message {
      case .write(let written): bytes += written.count
      case .read(let count):
        guard (1...PlatformLimits.i2cTransferBytes).contains(count) else { return false }
        bytes += count
      }
    }
    return bytes <= PlatformLimits.i2cTransferBytes
  }
}

extension I2CError {
  /// How often a transfer that fails so is tried in all. A chip that is measuring may refuse its address for a moment.
  fileprivate var attempts: Int {
    switch self {
    case .arbitrationLost: PlatformLimits.i2cArbitrationAttempts
    case .noAcknowledge: PlatformLimits.i2cAcknowledgeAttempts
    default: 1
    }
  }
}
