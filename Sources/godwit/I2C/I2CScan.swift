import Platform

/// What is on a bus, found as i2cdetect(8) does.
struct I2CScan {
  /// An address at which something is.
  struct Found {
    let address: UInt8
    /// The kernel driver that has it; it was not asked then.
    var owner: I2COwner?
    /// Why it is not plain whether a chip is there.
    var problem: String?
    /// Chips that are described and may have this address.
    var chips: [String] = []
  }

  let adapter: I2CAdapter
  private(set) var found: [Found] = []
  /// Why not all addresses were asked.
  private(set) var problem: String?

  /// All but those the specification reserves (UM10204, table 4).
  static let addresses: ClosedRange<UInt8> = 0x08...0x77
  /// A stuck bus costs a time-out an address: no more of them after so many in a row.
  static let timeoutsInARow = 3
  /// How long a bus may take in all.
  static let deadlineMilliseconds: Int64 = 10_000

  /// - Parameter chips: the names of described chips by the addresses they may have.
  init(_ adapter: I2CAdapter, host: Host, chips: [UInt8: [String]] = [:]) {
    self.adapter = adapter
    guard adapter.isReachable else {
      problem = "programs cannot reach it: modprobe i2c-dev"
      findOwned(host)
      return
    }
    do throws(I2CError) {
      try ask(host, try host.i2cBus(adapter.number), chips)
    } catch {
      problem = "\(error)"
      if found.isEmpty { findOwned(host) }
    }
  }

  private mutating func findOwned(_ host: Host) {
    for address in Self.addresses {
      guard let owner = host.i2cOwner(bus: adapter.number, address: address) else { continue }
      found.append(Found(address: address, owner: owner))
    }
  }

  private mutating func ask(_ host: Host, _ bus: any I2CBus, _ chips: [UInt8: [String]]) throws(I2CError) {
    let deadline = SystemClock.bootMilliseconds + Self.deadlineMilliseconds
    var timeouts = 0
    for address in Self.addresses {
      if let owner = host.i2cOwner(bus: adapter.number, address: address) {
        found.append(Found(address: address, owner: owner))
        continue
      }
      do throws(I2CError) {
        try Self.ask(bus, address)
        found.append(Found(address: address, chips: chips[address] ?? []))
        timeouts = 0
      } catch {
        timeouts = error == .timedOut ? timeouts + 1 : 0
        switch error {
        case .noAcknowledge: continue
        // The bus itself, not this address.
        case .absent, .unsupported: throw error
        default: found.append(Found(address: address, problem: "\(error)"))
        }
      }
      if timeouts == Self.timeoutsInARow || SystemClock.bootMilliseconds >= deadline {
        problem = "it is stuck or too slow: given up after \(I2CScanText.address(address))"
        return
      }
    }
  }

  private static func ask(_ bus: any I2CBus, _ address: UInt8) throws(I2CError) {
    // What looks like the begin of a write may lock such chips: the Atmel AT24RF08 is known for it.
    let mayBeMemory = (0x30...0x37).contains(address) || (0x50...0x5F).contains(address)
    do throws(I2CError) {
      _ = try bus.transfer(address, mayBeMemory ? [.read(1)] : [.write([])])
    } catch .unsupported where !mayBeMemory {
      // Not every adapter can send an address alone.
      _ = try bus.transfer(address, [.read(1)])
    }
  }
}
