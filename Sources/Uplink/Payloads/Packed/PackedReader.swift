public import Buffer
import Telemetry

/// A tick as it was sent.
public struct PackedTick: Sendable {
  /// Its number.
  public var sequence: UInt64
  /// The kernel's boot id.
  public var boot: String
  /// Unix milliseconds.
  public var wallMilliseconds: Int64
  /// Whether the wall clock was synchronised, or the time was corrected once it was.
  public var synced: Bool
  /// The values by series id; `Double.missing` where none was taken. Series beyond the end are missing too.
  public var values: [Double]
}

/// Why a message was not read. No tick of it was given out.
public enum PackedFault: Error, Hashable, Sendable {
  /// It is no message of this payload.
  case notPacked
  /// A later version of the agent made it: the payload's version, or that of the block in it.
  case unknownVersion(UInt8)
  /// A checksum or a number in it is wrong.
  case damaged
  /// The message that it is compared with, of the sequence number, was not the last one read: one was lost or came out of turn. Live
  /// messages can be read again from the next key on.
  case missingBase(UInt64)
  /// It counts on so many series; fewer or others are known.
  case wrongCatalogue(Int)
  /// It would take more memory than any that was made for sending.
  case tooLarge
}

/// Reads the messages of one node: live ticks in the order in which they came, and stored ones in any order. Repeats are given out again.
public struct PackedReader: Sendable {
  /// A live message that the next one may be compared with.
  struct Base: Sendable {
    var tick: PackedTick
    var scaled: [Int64]
    var check: UInt32
    /// CRC of the key that it goes back to.
    var key: UInt32
    /// CRC of the series.
    var catalogue: UInt32
  }

  /// Values that were stored on the node and cannot be read, in all blocks read so far.
  public private(set) var damagedValues: UInt64 = 0
  private var catalogue = CatalogueReader()
  private var base: Base?

  /// Knows no series.
  public init() {}

  /// The series by id, as far as the catalogue is known without a hole.
  public var series: [StoredSeries] { catalogue.series }

  /// Takes a chunk of the catalogue; chunks come in any order and may be replaced. An empty one is a deleted one.
  public mutating func learn(catalogue json: [UInt8]) throws(PackedFault) {
    guard !json.isEmpty else { return }
    try catalogue.learn(json)
  }

  /// Reads a message and gives each of its ticks to `body`, ascending.
  public mutating func read(_ message: [UInt8], _ body: (PackedTick) -> Void) throws(PackedFault) {
    guard let first = message.first, first & 0xF0 == PackedFormat.mark else { throw .notPacked }
    guard first & 0x0F == PackedFormat.version else { throw .unknownVersion(first & 0x0F) }
    let end = message.count - PackedFormat.checksumBytes
    guard end >= 2 else { throw .damaged }
    var tail = PackedScanner(message, end..<message.count)
    let check = try tail.fixed()
    guard WireNumber.checksum(message[..<end]) == check else { throw .damaged }
    var scanner = PackedScanner(message, 2..<end)
    switch message[1] & ~PackedFormat.synced {
    case PackedFormat.key: body(try key(&scanner, synced: message[1] & PackedFormat.synced != 0, check))
    case PackedFormat.delta: body(try delta(&scanner, synced: message[1] & PackedFormat.synced != 0, check))
    case PackedFormat.block where message[1] == PackedFormat.block: try block(&scanner, body)
    default: throw .damaged
    }
  }

  // MARK: Live

  private mutating func key(_ scanner: inout PackedScanner, synced: Bool, _ check: UInt32) throws(PackedFault) -> PackedTick {
    let sequence = try scanner.varint()
    let wall = try scanner.zigzag()
    let boot = try scanner.boot()
    let (count, crc) = try checkedSeries(&scanner)
    let tick = PackedTick(
      sequence: sequence, boot: boot, wallMilliseconds: wall, synced: synced,
      values: [Double](repeating: .missing, count: count))
    var fresh = Base(tick: tick, scaled: [Int64](repeating: 0, count: count), check: check, key: check, catalogue: crc)
    try apply(&scanner, to: &fresh)
    // A repeat of the key must not undo what came after it.
    if base?.key != check { base = fresh }
    return fresh.tick
  }

  private mutating func delta(_ scanner: inout PackedScanner, synced: Bool, _ check: UInt32) throws(PackedFault) -> PackedTick {
    let sequence = try scanner.varint()
    let step = try scanner.varint()
    let baseCheck = try scanner.fixed()
    let wall = try scanner.zigzag()
    guard step > 0, step <= sequence else { throw .damaged }
    if let base, base.check == check, base.tick.sequence == sequence { return base.tick }
    guard var next = base, next.tick.sequence == sequence - step, next.check == baseCheck else {
      throw .missingBase(sequence - step)
    }
    let count = next.tick.values.count
    guard catalogue.checks.check(of: count) == next.catalogue else { throw .wrongCatalogue(count) }
    (next.tick.sequence, next.tick.synced, next.check) = (sequence, synced, check)
    next.tick.wallMilliseconds &+= wall
    try apply(&scanner, to: &next)
    base = next
    return next.tick
  }

  private func apply(_ scanner: inout PackedScanner, to next: inout Base) throws(PackedFault) {
    let count = next.tick.values.count
    let bitmap = try scanner.take((count + 7) / 8)
    guard count % 8 == 0 || bitmap[count / 8] >> UInt8(count % 8) == 0 else { throw .damaged }
    for index in 0..<count where bitmap[index / 8] & 1 << UInt8(index % 8) != 0 {
      switch try scanner.varint() {
      case PackedFormat.rawToken: next.tick.values[index] = try scanner.bits()
      case PackedFormat.missingToken: next.tick.values[index] = .missing
      case let token:
        let difference = WireNumber.unzigzag(token - PackedFormat.firstDifference)
        let (sum, overflow) = next.scaled[index].addingReportingOverflow(difference)
        guard !overflow else { throw .damaged }
        next.scaled[index] = sum
        next.tick.values[index] = WireNumber.value(sum, decimals: catalogue.series[index].decimals)
      }
    }
    guard scanner.left == 0 else { throw .damaged }
  }

  /// Reads how many series a message counts on and makes sure that they are those known.
  private func checkedSeries(_ scanner: inout PackedScanner) throws(PackedFault) -> (count: Int, crc: UInt32) {
    let count = Int(clamping: try scanner.varint())
    let crc = try scanner.fixed()
    guard catalogue.checks.check(of: count) == crc else { throw .wrongCatalogue(count) }
    return (count, crc)
  }

  // MARK: Stored

  private mutating func block(_ scanner: inout PackedScanner, _ body: (PackedTick) -> Void) throws(PackedFault) {
    let first = try scanner.varint()
    let (last, overflow) = first.addingReportingOverflow(try scanner.varint())
    let damaged = try scanner.varint()
    guard !overflow else { throw .damaged }
    let count = try checkedSeries(&scanner).count
    let epochs = try readEpochs(&scanner)
    let block: ReceivedBlock
    do throws(ReceivedBlock.Fault) {
      block = try ReceivedBlock(try rest(&scanner))
    } catch {
      switch error {
      case .damaged: throw .damaged
      case .tooLarge: throw .tooLarge
      case .unknownVersion(let version): throw .unknownVersion(version)
      }
    }
    guard block.sequences.first == first, block.sequences.last == last, block.width <= count,
      block.epochs.allSatisfy({ epochs[$0] != nil })
    else { throw .damaged }
    damagedValues = damagedValues.addingReportingOverflow(damaged).partialValue
    for row in block.sequences.indices {
      guard let epoch = epochs[block.epochs[row]] else { continue }
      body(
        PackedTick(
          sequence: block.sequences[row], boot: epoch.boot, wallMilliseconds: block.milliseconds[row] &+ epoch.offset,
          synced: epoch.synced, values: block.values(ofRow: row)))
    }
  }

  private func rest(_ scanner: inout PackedScanner) throws(ReceivedBlock.Fault) -> [UInt8] {
    do throws(PackedFault) { return try scanner.take(scanner.left) } catch { throw .damaged }
  }

  private func readEpochs(
    _ scanner: inout PackedScanner
  ) throws(PackedFault) -> [Int: (boot: String, offset: Int64, synced: Bool)] {
    var boots: [String] = []
    for _ in 0..<(try scanner.count()) { boots.append(try scanner.boot()) }
    var epochs: [Int: (boot: String, offset: Int64, synced: Bool)] = [:]
    var id: UInt64 = 0
    for index in 0..<(try scanner.count()) {
      let step = try scanner.varint()
      let boot = try scanner.varint()
      let offset = try scanner.zigzag()
      let synced = try scanner.byte()
      guard step < BufferLimits.largestNumber, step > 0 || index == 0, boot < UInt64(boots.count), synced <= 1 else {
        throw .damaged
      }
      id += step
      guard id < BufferLimits.largestNumber else { throw .damaged }
      epochs[Int(id)] = (boots[Int(boot)], offset, synced == 1)
    }
    return epochs
  }
}
