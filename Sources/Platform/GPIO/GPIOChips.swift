/// A GPIO controller.
public struct GPIOChip: Hashable, Sendable {
  /// The kernel's name, by order of registration: `gpiochip0`. It may change between boots and kernels.
  public let name: String
  /// The driver's name for it, the same on every boot: `pinctrl-rp1`.
  public let label: String
  /// How many lines it has; their offsets count from 0.
  public let lineCount: Int

  /// States a chip's identity.
  public init(name: String, label: String, lineCount: Int) {
    self.name = name
    self.label = label
    self.lineCount = lineCount
  }
}

/// A line of a chip, and who has it.
public struct GPIOLine: Hashable, Sendable {
  /// Its number within the chip.
  public let offset: Int
  /// The board's name for it (`GPIO17`); empty when it has none.
  public let name: String
  /// Who holds it; empty when nobody does, or the holder did not say.
  public let consumer: String
  /// Whether the kernel or a process holds it.
  public let isUsed: Bool
  /// Whether it is driven by this machine.
  public let isOutput: Bool

  /// States what the kernel knows of a line.
  public init(offset: Int, name: String = "", consumer: String = "", isUsed: Bool = false, isOutput: Bool = false) {
    self.offset = offset
    self.name = name
    self.consumer = consumer
    self.isUsed = isUsed
    self.isOutput = isOutput
  }
}

/// How an input is to be read. "Active" is its logical level: high, or low with `isActiveLow`.
public struct GPIOInput: Hashable, Sendable {
  /// The resistor inside the chip.
  public enum Bias: String, Sendable, CaseIterable {
    case asIs = "as-is"
    case disabled
    case pullUp = "pull-up"
    case pullDown = "pull-down"
  }

  /// Which changes of the logical level are told.
  public enum Edges: Sendable, CaseIterable {
    case none, rising, falling, both
  }

  /// The line within the chip.
  public var offset: Int
  /// The resistor; the first kernel interface knows it from Linux 5.5 on.
  public var bias: Bias
  /// Whether the low voltage is the active level.
  public var isActiveLow: Bool
  /// Which edges are told.
  public var edges: Edges
  /// How long a level must last; 0 is no debouncing. Only where `GPIOChips.debounces`.
  public var debounceMicroseconds: Int

  /// States how a line is to be read.
  public init(
    offset: Int, bias: Bias = .asIs, isActiveLow: Bool = false, edges: Edges = .none, debounceMicroseconds: Int = 0
  ) {
    self.offset = offset
    self.bias = bias
    self.isActiveLow = isActiveLow
    self.edges = edges
    self.debounceMicroseconds = debounceMicroseconds
  }
}

/// How an output is to be driven.
public struct GPIOOutput: Hashable, Sendable {
  /// Which levels the line drives; it floats at the other.
  public enum Drive: String, Sendable, CaseIterable {
    case pushPull = "push-pull"
    case openDrain = "open-drain"
    case openSource = "open-source"
  }

  /// The line within the chip.
  public var offset: Int
  /// Whether the low voltage is the active level.
  public var isActiveLow: Bool
  /// Which levels it drives.
  public var drive: Drive
  /// The logical level that it takes together with becoming an output.
  public var isActive: Bool

  /// States how a line is to be driven.
  public init(offset: Int, isActiveLow: Bool = false, drive: Drive = .pushPull, isActive: Bool = false) {
    self.offset = offset
    self.isActiveLow = isActiveLow
    self.drive = drive
    self.isActive = isActive
  }
}

/// A change of an input's logical level.
public struct GPIOEdge: Hashable, Sendable {
  /// Which line: its place in the request.
  public let index: Int
  /// Whether the line became active. When both edges are told the kernel reads the level after its interrupt: two edges closer together than
  /// its reaction may both tell the second level.
  public let isRising: Bool
  /// When: nanoseconds of CLOCK_BOOTTIME, converted from the kernel's event clock. With debouncing by the kernel, when the level had lasted.
  public let nanoseconds: Int64
  /// The line's edges are numbered by the second kernel interface: a gap tells how many were lost. nil with the first.
  public let sequence: UInt32?

  /// States an edge.
  public init(index: Int, isRising: Bool, nanoseconds: Int64, sequence: UInt32? = nil) {
    self.index = index
    self.isRising = isRising
    self.nanoseconds = nanoseconds
    self.sequence = sequence
  }
}

/// Edges that waited in the kernel.
public struct GPIOEdges: Hashable, Sendable {
  /// Oldest first within each line.
  public var edges: [GPIOEdge] = []
  /// Lines whose queue was full, so that later edges may be missing. Only where edges are not numbered.
  public var fullQueues: [Int] = []

  /// No edges.
  public init() {}
}

/// Inputs held by this process; dropping the last reference releases them.
public protocol GPIOInputs: AnyObject, Sendable {
  /// To be polled for reading: readable when edges wait or the chip is gone.
  var descriptors: [Int32] { get }
  /// Takes the edges that wait, at most `PlatformLimits.gpioEdges`; never blocks.
  ///
  /// - Throws: `absent` when the chip is gone.
  func takeEdges() throws(GPIOError) -> GPIOEdges
  /// Whether a line is active now. Asks the chip, which blocks where the chip is on a bus (an I2C expander).
  func isActive(_ index: Int) throws(GPIOError) -> Bool
}

/// Outputs held by this process. What a line does after the last reference is dropped is the driver's choice: many keep the level.
public protocol GPIOOutputs: AnyObject, Sendable {
  /// Sets the logical level of a line by its place in the request.
  func set(_ index: Int, active: Bool) throws(GPIOError)
}

/// The GPIO controllers of a host. One conformance suite runs over the kernel's and recorded ones.
public protocol GPIOChips: Sendable {
  /// Whether inputs are debounced below this edge, by the kernel; else their reader must do it by the edges' times.
  var debounces: Bool { get }
  /// How many edges of a request wait in the kernel before some are lost.
  var queuedEdges: Int { get }
  /// All chips that may be opened, by name; none where the machine has none.
  ///
  /// - Throws: `barred` when there are chips and none may be opened.
  func chips() throws(GPIOError) -> [GPIOChip]
  /// The lines of a chip by its name, in order of their offsets.
  func lines(of chip: String) throws(GPIOError) -> [GPIOLine]
  /// Takes 1 to `PlatformLimits.gpioLines` inputs of one chip, all or none.
  func request(chip: String, inputs: [GPIOInput], consumer: String) throws(GPIOError) -> any GPIOInputs
  /// Takes 1 to `PlatformLimits.gpioLines` outputs of one chip, all or none.
  func request(chip: String, outputs: [GPIOOutput], consumer: String) throws(GPIOError) -> any GPIOOutputs
}

/// Why a line or chip could not be used.
public enum GPIOError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No such chip or line, or it is gone.
  case absent(String)
  /// Someone else holds the line.
  case busy(line: String, consumer: String)
  /// Several lines answer to the name.
  case ambiguous(line: String, places: [String])
  /// The chip or the kernel cannot do what was asked.
  case unsupported(line: String, what: String)
  /// Rights keep this process out.
  case barred(String)
  /// A recording says what its format does not allow.
  case malformed(path: String, what: String)
  /// Another error of the kernel.
  case io(what: String, errno: Int32)

  /// One line for people.
  public var description: String {
    switch self {
    case .absent(let what): "absent: \(what)"
    case .busy(let line, let consumer): "\(line) is held by \(consumer.isEmpty ? "another program" : "'" + consumer + "'")"
    case .ambiguous(let line, let places): "several lines are called \(line): \(places.joined(separator: ", ")); name the chip"
    case .unsupported(let line, let what): "\(line): \(what)"
    case .barred(let path): "no right to open \(path): it takes the group gpio"
    case .malformed(let path, let what): "malformed: \(path): \(what)"
    case .io(let what, let errno): "\(what): errno \(errno)"
    }
  }
}
