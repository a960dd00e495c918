/// The words of one line of a recorded bus.
struct I2CRecordingLine {
  /// What is wrong with the line.
  struct Fault: Error {
    var what: String
  }

  private var words: ArraySlice<Substring>

  init(_ line: Substring) {
    words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }[...]
  }

  var peek: Substring? { words.first }

  func fault(_ what: String) -> Fault { Fault(what: what) }

  mutating func next() { words = words.dropFirst() }

  mutating func skip(_ word: String) -> Bool {
    guard let first = words.first, first == word else { return false }
    next()
    return true
  }

  func end() throws(Fault) {
    if let word = peek { throw fault("'\(word)' is not understood here") }
  }

  mutating func byte() throws(Fault) -> UInt8 {
    guard let word = peek, word.utf8.count == 2, let byte = UInt8(word, radix: 16) else {
      throw fault("a byte of two hexadecimal digits is wanted")
    }
    next()
    return byte
  }

  mutating func address() throws(Fault) -> UInt8 {
    let address = try byte()
    guard address < 0x80 else { throw fault("an address has 7 bits") }
    return address
  }

  mutating func number(through largest: Int) throws(Fault) -> Int {
    guard let number = peek.flatMap({ Int($0) }), (1...largest).contains(number) else {
      throw fault("a number from 1 to \(largest) is wanted")
    }
    next()
    return number
  }

  /// As many bytes as follow.
  mutating func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = try? byte() { bytes.append(byte) }
    return bytes
  }

  /// `=` and at least one byte.
  mutating func equals() throws(Fault) -> [UInt8] {
    guard skip("=") else { throw fault("= is wanted") }
    return try [byte()] + bytes()
  }

  mutating func messages() throws(Fault) -> [I2CMessage] {
    var messages: [I2CMessage] = []
    while true {
      if skip("w") {
        messages.append(.write(bytes()))
      } else if skip("r") {
        messages.append(.read(try number(through: PlatformLimits.i2cTransferBytes)))
      } else {
        return messages
      }
    }
  }

  mutating func outcome(of messages: [I2CMessage]) throws(Fault) -> I2CRecording.Outcome {
    if skip("->") { return .fault(try busFault()) }
    let wanted = messages.readBytes
    if wanted == 0 { return .bytes([]) }
    let bytes = try equals()
    guard bytes.count == wanted else { throw fault("\(wanted) bytes are read, \(bytes.count) are told") }
    return .bytes(bytes)
  }

  mutating func busFault() throws(Fault) -> I2CRecording.Fault {
    guard let word = peek else { throw fault("a fault is wanted") }
    next()
    switch word {
    case "nak": return .init(error: .noAcknowledge)
    case "lost": return .init(error: .arbitrationLost)
    case "timeout": return .init(error: .timedOut)
    case "unsupported": return .init(error: .unsupported)
    case "errno": return .init(error: .io(errno: Int32(try number(through: 4095))))
    case "hang":
      return .init(error: .timedOut, delayMilliseconds: try number(through: PlatformLimits.i2cRecordedHangMilliseconds))
    case "busy":
      let driver = peek.map { String($0) }
      next()
      return .init(error: .busy(driver: driver))
    default: throw fault("'\(word)' is no line of a recorded bus")
    }
  }
}

extension [I2CMessage] {
  /// How many bytes the transfer reads.
  var readBytes: Int {
    var count = 0
    for case .read(let bytes) in self { count += bytes }
    return count
  }
}
