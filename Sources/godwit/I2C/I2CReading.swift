import Platform
import Sensors
import Telemetry

/// One reading of a chip, and the transfers it took.
struct I2CReading {
  let chip: ChipDescription
  let device: ChipDevice
  let bus: Int
  /// By value of the chip; empty when it could not be read.
  private(set) var values: [Result<Double, ChipFault>] = []
  private(set) var transfers: [I2CTrace.Transfer] = []
  /// Why it could not be read, and where the kernel has its values when a driver has the address.
  private(set) var problem: String?

  init(chip: ChipDescription, device: ChipDevice, bus: Int) {
    self.chip = chip
    self.device = device
    self.bus = bus
  }

  /// `bus 1, 0x48`
  var place: String { "bus \(bus), \(ChipDevice.text(address: device.address))" }

  /// Whether single values could not be read.
  var isPartial: Bool { values.contains { (try? $0.get()) == nil } }

  mutating func take(_ host: Host) {
    do throws(I2CError) {
      let trace = I2CTrace(try host.i2cBus(bus))
      var program = ChipProgram(chip, device: device) { if host.root.isEmpty { Thread.sleep(milliseconds: $0) } }
      do throws(ChipFault) {
        values = try program.read(trace)
      } catch {
        problem = "\(error)"
        if case .bus(.busy) = error, let owner = host.i2cOwner(bus: bus, address: device.address), !owner.nodes.isEmpty {
          problem = "\(error); here: \(owner.nodes.joined(separator: ", "))"
        }
      }
      transfers = trace.transfers
    } catch {
      let others = host.i2cAdapters().map { "\($0.number)" }
      problem = "\(error)" + (error == .absent && !others.isEmpty ? "; there are \(others.joined(separator: ", "))" : "")
    }
  }

  /// For people: the place, the transfers if wanted, a line a value.
  func lines(withTransfers: Bool) -> [String] {
    var lines = ["\(chip.name), \(place)"]
    if withTransfers { lines += transfers.map { "  \($0)" } }
    var table = Table(.left, .left, .right, .left)
    for (value, result) in zip(chip.values, values) {
      let metric = value.quantity.metric
      switch result {
      case .success(let number):
        table.add(
          Span(value.quantity.name), Span(value.channel), Span(Quantity.fixed(number, decimals: metric.decimals)),
          Span(metric.unit.rawValue))
      case .failure(let fault): table.add(Span(value.quantity.name), Span(value.channel), Span("-"), Span("\(fault)"))
      }
    }
    return lines + table.lines(indent: 2)
  }

  /// One object and a line feed.
  func json(withTransfers: Bool) -> [UInt8] {
    var json = JSONWriter(capacity: 1024)
    json.beginObject()
    json.member("chip", chip.id)
    json.member("bus", bus)
    json.member("address", ChipDevice.text(address: device.address))
    json.member("problem", problem)
    json.key("values")
    json.beginArray()
    for (value, result) in zip(chip.values, values) {
      json.beginObject()
      json.member("metric", value.quantity.metric.name)
      json.member("channel", value.channel)
      switch result {
      case .success(let number): json.member("value", number.rounded(decimals: value.quantity.metric.decimals))
      case .failure(let fault): json.member("problem", "\(fault)")
      }
      json.member("unit", value.quantity.metric.unit.rawValue)
      json.endObject()
    }
    json.endArray()
    if withTransfers { json.member("transfers", transfers.map { "\($0)" }) }
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

/// A bus that keeps what passes over it.
final class I2CTrace: I2CBus {
  /// One transfer: `write 00, read 19 00`.
  struct Transfer: CustomStringConvertible {
    let messages: [I2CMessage]
    let answer: Result<[UInt8], I2CError>

    var description: String {
      var rest = ((try? answer.get()) ?? [])[...]
      var parts: [String] = []
      for message in messages {
        switch message {
        case .write(let bytes): parts.append("write \(Self.hex(bytes))")
        case .read(let count):
          parts.append(rest.isEmpty ? "read \(count)" : "read \(Self.hex(rest.prefix(count)))")
          rest = rest.dropFirst(count)
        }
      }
      if case .failure(let error) = answer { parts.append("\(error)") }
      return parts.joined(separator: ", ")
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
      bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: " ")
    }
  }

  private(set) var transfers: [Transfer] = []
  private let bus: any I2CBus

  init(_ bus: any I2CBus) { self.bus = bus }

  func hold() throws(I2CError) { try bus.hold() }
  func release() { bus.release() }

  func transfer(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
    do throws(I2CError) {
      let answer = try bus.transfer(address, messages)
      transfers.append(Transfer(messages: messages, answer: .success(answer)))
      return answer
    } catch {
      transfers.append(Transfer(messages: messages, answer: .failure(error)))
      throw error
    }
  }
}
