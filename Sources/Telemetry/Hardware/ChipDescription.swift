/// What a file under `hardware/chips` says of an I2C chip: how it is set up, what is read of it, and what the bytes mean.
///
/// A description that was read from a file keeps to `ChipLimits`, and every name in it leads somewhere.
public struct ChipDescription: Hashable, Sendable {
  /// The file's name without `.yaml`: `tmp102`. What a profile writes, and the label `chip`.
  public var id: String
  /// The manufacturer's name: `TMP102`.
  public var name: String
  /// One sentence for people.
  public var summary: String
  /// The addresses that its pins choose among; the first one is the usual one. 7 bits.
  public var addresses: [UInt8]
  /// How it is told from another chip at its address; nil where it has no such register.
  public var identity: Identity?
  /// What differs from board to board.
  public var options: [ChipOption]
  /// Done once before the first reading, and again after a fault.
  public var start: [ChipStep]
  /// Done for each reading.
  public var steps: [ChipStep]
  /// What the bytes say.
  public var values: [ChipValue]

  /// A register that says which chip it is.
  public struct Identity: Hashable, Sendable {
    /// What is written to reach it.
    public var write: [UInt8]
    /// The bytes it answers with, most significant first.
    public var equals: [UInt8]

    /// Describes a register.
    public init(write: [UInt8], equals: [UInt8]) {
      self.write = write
      self.equals = equals
    }
  }

  /// Describes a chip.
  public init(
    id: String, name: String, summary: String, addresses: [UInt8], identity: Identity? = nil, options: [ChipOption] = [],
    start: [ChipStep] = [], steps: [ChipStep], values: [ChipValue]
  ) {
    self.id = id
    self.name = name
    self.summary = summary
    self.addresses = addresses
    self.identity = identity
    self.options = options
    self.start = start
    self.steps = steps
    self.values = values
  }
}

/// A setting of a chip that each device may have its own of: a number.
public struct ChipOption: Hashable, Sendable {
  /// The key, lower-case snake case, its unit last: `shunt_ohms`.
  public var name: String
  /// One sentence for people.
  public var help: String
  /// The number where a device says nothing; nil when it must.
  public var fallback: Double?
  /// What it may be.
  public var range: ClosedRange<Double>
  /// The only numbers it may be, each with the bits that stand for it in a register; empty when any number of the range will do.
  public var choices: [Choice]

  /// A number and its bits.
  public struct Choice: Hashable, Sendable {
    /// As the device's settings say it.
    public var number: Double
    /// As a register has it.
    public var code: UInt8

    /// Pairs them.
    public init(number: Double, code: UInt8) {
      self.number = number
      self.code = code
    }
  }

  /// Describes an option.
  public init(name: String, help: String, fallback: Double?, range: ClosedRange<Double>, choices: [Choice] = []) {
    self.name = name
    self.help = help
    self.fallback = fallback
    self.range = range
    self.choices = choices
  }
}

/// One thing that is done with a chip.
public enum ChipStep: Hashable, Sendable {
  /// Bytes written, then bytes read after a repeated start, in one transfer; either may be missing.
  case transfer(write: [ChipByte], read: ChipRead?)
  /// Time for the chip, milliseconds.
  case wait(Int)
}

/// A byte that is written: fixed bits, and the bits of options.
public struct ChipByte: Hashable, Sendable {
  /// The fixed bits.
  public var bits: UInt8
  /// Options whose codes are or-ed in.
  public var options: [String]

  /// Describes a byte.
  public init(_ bits: UInt8, options: [String] = []) {
    self.bits = bits
    self.options = options
  }
}

/// Bytes that are read, and the name that values know them by.
public struct ChipRead: Hashable, Sendable {
  /// Unique in its chip.
  public var name: String
  /// Bytes, checksums included.
  public var count: Int
  /// How they are checked; nil when not at all.
  public var checksum: ChipChecksum?

  /// Describes a read.
  public init(name: String, count: Int, checksum: ChipChecksum? = nil) {
    self.name = name
    self.count = count
    self.checksum = checksum
  }
}

/// A CRC-8 that follows each group of bytes, most significant bit first.
public struct ChipChecksum: Hashable, Sendable {
  /// The generator without its x⁸: 0x31 is x⁸+x⁵+x⁴+1.
  public var polynomial: UInt8
  /// What the register begins with.
  public var initial: UInt8
  /// Data bytes before each checksum.
  public var every: Int

  /// Describes a checksum.
  public init(polynomial: UInt8, initial: UInt8, every: Int) {
    self.polynomial = polynomial
    self.initial = initial
    self.every = every
  }
}
