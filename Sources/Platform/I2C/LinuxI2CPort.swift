import CLinux
import Glibc

/// A bus of the running kernel, through /dev/i2c-N: I2C_RDWR where the adapter has plain I2C, else the SMBus calls.
final class LinuxI2CPort: I2CPort {
  private let path: String
  private let descriptor: Int32
  private let functions: godwit_i2c_functions

  init(_ path: String) throws(I2CError) {
    var functions = godwit_i2c_functions()
    let opened = godwit_i2c_open(path, &functions)
    guard opened >= 0 else { throw I2CError(opening: -opened) }
    (self.path, descriptor, self.functions) = (path, opened, functions)
    // An adapter that does not let itself be bounded is still of use: each user has a thread of its own.
    _ = godwit_i2c_bound(descriptor, Int32(PlatformLimits.i2cAdapterMilliseconds), Int32(PlatformLimits.i2cAdapterRetries))
  }

  deinit { close(descriptor) }

  func attempt(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    // I2C_RDWR does not ask who owns the address; I2C_SLAVE does.
    try check(godwit_i2c_address(descriptor, address))
    // Not every adapter can send no byte at all; the flag of the quick command tells.
    guard functions.i2c != 0, messages != [.write([])] else { return try overSMBus(messages) }
    return try overI2C(address, messages)
  }

  private func overI2C(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    // All parts lie one behind the other in one buffer, which the kernel reads from and writes into.
    var buffer: [UInt8] = []
    for message in messages {
      switch message {
      case .write(let bytes): buffer += bytes
      case .read(let count): buffer += [UInt8](repeating: 0, count: count)
      }
    }
    let result = buffer.withUnsafeMutableBufferPointer { bytes in
      var offset = 0
      let parts = messages.map { message in
        defer { offset += message.count }
        return godwit_i2c_message(
          read: message.isRead ? 1 : 0, count: UInt16(message.count), bytes: bytes.baseAddress?.advanced(by: offset))
      }
      return godwit_i2c_transfer(descriptor, address, parts, Int32(parts.count))
    }
    try check(result)
    var answer: [UInt8] = []
    var offset = 0
    for message in messages {
      if message.isRead { answer += buffer[offset..<offset + message.count] }
      offset += message.count
    }
    return answer
  }

  private func overSMBus(_ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    guard let transfer = SMBusTransfer(messages) else { throw .unsupported }
    switch transfer {
    case .quick:
      return try call(functions.quick, read: false, command: 0, count: -1)
    case .send(let command):
      return try call(functions.byte, read: false, command: command, count: 0)
    case .receive:
      return try call(functions.byte, read: true, command: 0, count: 0)
    case .write(let command, let data):
      let (can, block) = choose(data.count, functions.write_byte_data, functions.write_word_data, functions.write_block)
      return try call(can, read: false, command: command, count: data.count, block: block, data)
    case .read(let command, let count):
      let (can, block) = choose(count, functions.read_byte_data, functions.read_word_data, functions.read_block)
      return try call(can, read: true, command: command, count: count, block: block)
    }
  }

  /// One and two bytes have calls of their own; an adapter without them may have the block.
  private func choose(_ count: Int, _ byte: Int32, _ word: Int32, _ block: Int32) -> (can: Int32, block: Bool) {
    if count == 1, byte != 0 { return (byte, false) }
    if count == 2, word != 0 { return (word, false) }
    return (block, true)
  }

  private func call(
    _ can: Int32, read: Bool, command: UInt8, count: Int, block: Bool = false, _ data: [UInt8] = []
  ) throws(I2CError) -> [UInt8] {
    guard can != 0 else { throw .unsupported }
    var bytes = data + [UInt8](repeating: 0, count: SMBusTransfer.blockBytes - data.count)
    try check(godwit_i2c_smbus(descriptor, read ? 1 : 0, command, Int32(count), block ? 1 : 0, &bytes))
    return read ? Array(bytes.prefix(max(count, 1))) : []
  }

  private func check(_ result: Int32) throws(I2CError) {
    guard result < 0 else { return }
    // ENODEV is also what an adapter answers that was unplugged.
    if result == -ENODEV, access(path, F_OK) != 0 { throw .absent }
    throw I2CError(transferring: -result)
  }
}

extension I2CMessage {
  fileprivate var isRead: Bool {
    if case .read = self { true } else { false }
  }

  fileprivate var count: Int {
    switch self {
    case .write(let bytes): bytes.count
    case .read(let count): count
    }
  }
}
