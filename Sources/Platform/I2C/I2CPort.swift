/// One try of a transfer with a bus, without waiting for other users and without repeats: what a recording replaces.
protocol I2CPort: AnyObject {
  func attempt(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8]
}

/// A transfer in the words of SMBus, which adapters without plain I2C know. S start, P stop, A the address with its direction:
///
/// ```
/// quick         S A P                          no byte: only an acknowledgement
/// send          S A [command] P
/// receive       S A [data] P
/// write         S A [command] [data]… P        1 byte, 2 bytes (a word) or a block
/// read          S A [command] S A [data]… P    likewise
/// ```
///
/// The kernel's words are little-endian and its I2C blocks carry no count on the wire (Documentation/i2c/smbus-protocol.rst).
enum SMBusTransfer: Hashable {
  case quick
  case send(UInt8)
  case receive
  case write(command: UInt8, data: [UInt8])
  case read(command: UInt8, count: Int)

  /// The bytes of one block.
  static let blockBytes = 32

  /// Nil when the messages are none of these.
  init?(_ messages: [I2CMessage]) {
    switch (messages.first, messages.dropFirst().first, messages.count) {
    case (.write(let bytes), nil, 1):
      guard let command = bytes.first else {
        self = .quick
        return
      }
      guard bytes.count <= 1 + SMBusTransfer.blockBytes else { return nil }
      self = bytes.count == 1 ? .send(command) : .write(command: command, data: Array(bytes.dropFirst()))
    case (.read(1), nil, 1):
      self = .receive
    case (.write(let bytes), .read(let count), 2):
      guard bytes.count == 1, (1...SMBusTransfer.blockBytes).contains(count) else { return nil }
      self = .read(command: bytes[0], count: count)
    default:
      return nil
    }
  }
}
