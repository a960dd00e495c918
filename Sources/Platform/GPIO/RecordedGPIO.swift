import Glibc
import Synchronization
import Telemetry

/// GPIO controllers of a recorded device, from text files in its `.host/gpio/` directory. Levels are those of the wire: 1 is the high one.
///
/// ```
/// chips      name lines label                                    gpiochip0 54 pinctrl-rp1
/// lines      chip offset level name|- [consumer]                 gpiochip0 17 1 GPIO17
/// events     seconds chip offset level [number of the edge]      12.040 gpiochip0 17 0
/// outputs    when this file is there, each level that is set is appended to it: chip offset level
/// ```
///
/// Words are escaped as in mountinfo (`\040` for a blank). A line that is not listed has no name and is low. Times are of CLOCK_BOOTTIME. As
/// with the kernel, what happened before a line was taken is not told; the file grows, or is replaced by one with later events.
public final class RecordedGPIO: GPIOChips {
  private let files: Host
  private let held = Mutex<[String: [Int: String]]>([:])

  /// The recording in `directory`.
  public init(directory: String) { files = Host(root: directory, calls: LinuxCalls()) }

  /// A recording keeps the edges as they came: bounces too.
  public var debounces: Bool { false }
  /// A file holds them all.
  public var queuedEdges: Int { PlatformLimits.gpioEdges }

  /// From `chips`.
  public func chips() throws(GPIOError) -> [GPIOChip] {
    try rows("/chips", of: 3...3) { (row) throws(GPIOError) in
      guard let lines = Int(row[1]), lines > 0, lines <= PlatformLimits.gpioChipLines else { throw Self.malformed("/chips", row) }
      return GPIOChip(name: row[0], label: row[2], lineCount: lines)
    }
  }

  /// From `lines`, and who holds them in this process.
  public func lines(of chip: String) throws(GPIOError) -> [GPIOLine] {
    guard let count = try chips().first(where: { $0.name == chip })?.lineCount else { throw .absent(chip) }
    var lines = (0..<count).map { GPIOLine(offset: $0) }
    for recorded in try recordedLines() where recorded.chip == chip {
      guard recorded.line.offset < count else { throw .malformed(path: "/lines", what: "\(chip) has \(count) lines") }
      lines[recorded.line.offset] = recorded.line
    }
    let holders = held.withLock { $0[chip] ?? [:] }
    for (offset, consumer) in holders where offset < count {
      lines[offset] = GPIOLine(offset: offset, name: lines[offset].name, consumer: consumer, isUsed: true)
    }
    return lines
  }

  /// Takes inputs, whose edges come from `events`.
  public func request(chip: String, inputs: [GPIOInput], consumer: String) throws(GPIOError) -> any GPIOInputs {
    try take(chip, inputs.map(\.offset), consumer)
    let recorded = try recordedLines().filter { $0.chip == chip }
    let levels = inputs.map { input in recorded.first { $0.line.offset == input.offset }?.isHigh ?? false }
    let last = try events(of: chip, after: .min).last?.nanoseconds ?? .min
    return RecordedInputs(self, chip: chip, inputs: inputs, levels: levels, last: last)
  }

  /// Takes outputs, whose levels go to `outputs`.
  public func request(chip: String, outputs: [GPIOOutput], consumer: String) throws(GPIOError) -> any GPIOOutputs {
    try take(chip, outputs.map(\.offset), consumer)
    let taken = RecordedOutputs(self, chip: chip, outputs: outputs)
    for (index, output) in outputs.enumerated() { try taken.set(index, active: output.isActive) }
    return taken
  }

  private func take(_ chip: String, _ offsets: [Int], _ consumer: String) throws(GPIOError) {
    let lines = try lines(of: chip)
    guard (1...PlatformLimits.gpioLines).contains(offsets.count) else {
      throw .unsupported(line: chip, what: "\(offsets.count) lines at once")
    }
    for offset in offsets {
      guard lines.indices.contains(offset) else { throw .unsupported(line: "\(chip) \(offset)", what: "no such line") }
      guard !lines[offset].isUsed else { throw .busy(line: "\(chip) \(offset)", consumer: lines[offset].consumer) }
    }
    held.withLock { held in
      for offset in offsets { held[chip, default: [:]][offset] = consumer }
    }
  }

  fileprivate func release(_ chip: String, _ offsets: [Int]) {
    held.withLock { held in
      for offset in offsets { held[chip]?[offset] = nil }
    }
  }

  fileprivate struct Event {
    let nanoseconds: Int64
    let offset: Int
    let level: Bool
    let number: UInt32?
  }

  /// The events of a chip later than `after`, in nanoseconds.
  fileprivate func events(of chip: String, after: Int64) throws(GPIOError) -> [Event] {
    guard try chips().contains(where: { $0.name == chip }) else { throw .absent("\(chip) is gone") }
    return try rows("/events", of: 4...5) { (row) throws(GPIOError) in
      guard let seconds = Quantity.number(row[0]), seconds.magnitude < 9e9, let offset = Int(row[2]),
        let level = Self.level(row[3]), row.count == 4 || UInt32(row[4]) != nil
      else { throw Self.malformed("/events", row) }
      let nanoseconds = Int64((seconds * 1e9).rounded())
      guard row[1] == chip, nanoseconds > after else { return nil }
      return Event(nanoseconds: nanoseconds, offset: offset, level: level, number: row.count == 5 ? UInt32(row[4]) : nil)
    }
  }

  fileprivate func append(_ chip: String, _ offset: Int, _ level: Bool) throws(GPIOError) {
    let descriptor = open(files.root + "/outputs", O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw .io(what: "/outputs", errno: errno)
    }
    defer { close(descriptor) }
    let line = Array("\(chip) \(offset) \(level ? 1 : 0)\n".utf8)
    guard write(descriptor, line, line.count) == line.count else { throw .io(what: "/outputs", errno: errno) }
  }

  private func recordedLines() throws(GPIOError) -> [(chip: String, line: GPIOLine, isHigh: Bool)] {
    try rows("/lines", of: 4...5) { (row) throws(GPIOError) in
      guard let offset = Int(row[1]), offset >= 0, let level = Self.level(row[2]) else { throw Self.malformed("/lines", row) }
      let consumer = row.count == 5 ? row[4] : ""
      let name = row[3] == "-" ? "" : row[3]
      return (row[0], GPIOLine(offset: offset, name: name, consumer: consumer, isUsed: row.count == 5), level)
    }
  }

  /// The rows of a file that `body` makes something of; none when the file is not there.
  private func rows<Row>(
    _ path: String, of words: ClosedRange<Int>, _ body: ([String]) throws(GPIOError) -> Row?
  ) throws(GPIOError) -> [Row] {
    var text: [[String]] = []
    do throws(SensorError) {
      text = try files.file(path).read { (scanner) throws(SensorError) in
        var rows: [[String]] = []
        while !scanner.isAtEnd {
          let row = scanner.restOfLine().split(separator: " ").map { unescapedOctal(String($0)) }
          if !row.isEmpty { rows.append(row) }
          scanner.skipLine()
        }
        return rows
      }
    } catch {
      if case .absent = error { return [] }
      throw .malformed(path: path, what: "\(error)")
    }
    var found: [Row] = []
    for row in text {
      guard words.contains(row.count) else { throw Self.malformed(path, row) }
      if let made = try body(row) { found.append(made) }
    }
    return found
  }

  private static func level(_ word: String) -> Bool? { word == "1" ? true : word == "0" ? false : nil }

  private static func malformed(_ path: String, _ row: [String]) -> GPIOError {
    var line = ""
    for word in row { line += line.isEmpty ? word : " " + word }
    return .malformed(path: "/.host/gpio\(path)", what: "'\(line)' is no row of it")
  }
}

private final class RecordedInputs: GPIOInputs {
  /// Nothing wakes a poller: a recording is read when it is asked.
  let descriptors: [Int32] = []
  private let recording: RecordedGPIO
  private let chip: String
  private let inputs: [GPIOInput]
  private let state: Mutex<(levels: [Bool], last: Int64)>

  init(_ recording: RecordedGPIO, chip: String, inputs: [GPIOInput], levels: [Bool], last: Int64) {
    self.recording = recording
    self.chip = chip
    self.inputs = inputs
    state = Mutex((levels, last))
  }

  deinit { recording.release(chip, inputs.map(\.offset)) }

  func takeEdges() throws(GPIOError) -> GPIOEdges {
    try state.withLock { (state) throws(GPIOError) -> GPIOEdges in
      var taken = GPIOEdges()
      for event in try recording.events(of: chip, after: state.last).prefix(PlatformLimits.gpioEdges) {
        state.last = max(state.last, event.nanoseconds)
        guard let index = inputs.firstIndex(where: { $0.offset == event.offset }) else { continue }
        state.levels[index] = event.level
        let isRising = event.level != inputs[index].isActiveLow
        let isTold =
          switch inputs[index].edges {
          case .none: false
          case .rising: isRising
          case .falling: !isRising
          case .both: true
          }
        guard isTold else { continue }
        taken.edges.append(
          GPIOEdge(index: index, isRising: isRising, nanoseconds: event.nanoseconds, sequence: event.number))
      }
      return taken
    }
  }

  func isActive(_ index: Int) throws(GPIOError) -> Bool {
    state.withLock { $0.levels[index] } != inputs[index].isActiveLow
  }
}

private final class RecordedOutputs: GPIOOutputs {
  private let recording: RecordedGPIO
  private let chip: String
  private let outputs: [GPIOOutput]

  init(_ recording: RecordedGPIO, chip: String, outputs: [GPIOOutput]) {
    self.recording = recording
    self.chip = chip
    self.outputs = outputs
  }

  deinit { recording.release(chip, outputs.map(\.offset)) }

  func set(_ index: Int, active: Bool) throws(GPIOError) {
    try recording.append(chip, outputs[index].offset, active != outputs[index].isActiveLow)
  }
}
