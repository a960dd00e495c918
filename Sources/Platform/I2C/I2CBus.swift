/// One part of a transfer: the bus is not released between the parts (repeated start).
public enum I2CMessage: Hashable, Sendable {
  /// The controller sends these bytes; none at all asks only for an acknowledgement.
  case write([UInt8])
  /// The chip sends so many bytes.
  case read(Int)
}

/// A bus with chips: what a program of register reads and writes runs on. Not for use by two threads at once; each user asks
/// `Host.i2cBus` for its own.
public protocol I2CBus: AnyObject {
  /// Makes one transfer with the chip at a 7-bit address, within a bounded time.
  ///
  /// - Returns: the bytes of all reads, in order.
  func transfer(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8]

  /// Keeps other users of this bus, here and in other processes, out until `release`: for steps that belong together. Waits a
  /// bounded time. Without it each transfer is one such step. Not nested.
  ///
  /// - Throws: `timedOut` when the bus did not become free.
  func hold() throws(I2CError)

  /// Lets the others in.
  func release()
}

extension I2CBus {
  /// For a bus that has one user.
  public func hold() throws(I2CError) {}
  /// For a bus that has one user.
  public func release() {}
}
