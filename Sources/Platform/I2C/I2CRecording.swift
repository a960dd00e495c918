import Telemetry

/// What a recorded bus answers: the text of `<root>/.host/i2c/<bus>`. A `#` begins a comment; bytes are two hexadecimal digits.
///
/// ```
/// functions smbus                     the adapter knows SMBus only, as i2c-stub does; else all of I2C
/// hang 10000                          each transfer on the bus takes so many milliseconds and times out
///
/// at 76                               a chip; the lines up to the next `at` are about it
/// registers D0 = 60                   byte registers from D0 on: reads and writes walk from one to the next
/// register 05 = C1 10                 one register of two bytes: reads and writes stay in it
/// after 01 C3 83 register 00 = 12 34  once these bytes are written, the register holds this
/// w 24 00                             a transfer that is acknowledged
/// r 6 = BE EF 92 80 00 A2             one that reads
/// w 00 r 2 = 19 00                    a write, a repeated start, a read
/// w 2C 06 -> nak                      one that fails: nak, lost, timeout, unsupported, busy [DRIVER], hang MS, errno N
/// nak                                 without a transfer: every transfer with this chip fails so
/// ```
///
/// A listed transfer goes before the registers. One that is listed several times answers line by line; the last line stays. A
/// write to registers sets the place where a read without a write begins; at first that is the lowest register. Addresses
/// without an `at` do not acknowledge. A transfer that the lines do not tell fails with ENODATA: a recording invents nothing.
struct I2CRecording: Sendable {
  /// How a transfer fails.
  struct Fault: Hashable, Sendable {
    var error: I2CError
    var delayMilliseconds = 0
  }

  enum Outcome: Hashable, Sendable {
    case bytes([UInt8])
    case fault(Fault)
  }

  struct Effect: Hashable, Sendable {
    var written: [UInt8]
    var register: UInt8
    var bytes: [UInt8]
  }

  struct Chip: Sendable {
    /// Registers of one byte, which a transfer walks along.
    var bytes: [UInt8: UInt8] = [:]
    /// Registers of several bytes each.
    var wide: [UInt8: [UInt8]] = [:]
    var effects: [Effect] = []
    /// What is left of the listed transfers.
    var script: [[I2CMessage]: [Outcome]] = [:]
    var fault: Fault?
    var pointer: UInt8?

    func has(_ register: UInt8) -> Bool { bytes[register] != nil || wide[register] != nil }
  }

  var knowsOnlySMBus = false
  var fault: Fault?
  var chips: [UInt8: Chip] = [:]

  /// Takes the text of a recording; `path` is for messages.
  init(_ text: String, path: String) throws(SensorError) {
    var chip: UInt8?
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      var words = I2CRecordingLine(line.prefix { $0 != "#" })
      guard let keyword = words.peek else { continue }
      do throws(I2CRecordingLine.Fault) {
        if keyword == "at" {
          words.next()
          chip = try words.address()
          if let chip { chips[chip] = chips[chip] ?? Chip() }
        } else if let chip {
          try chips[chip]?.take(&words)
        } else {
          try takeBusLine(&words)
        }
        try words.end()
      } catch {
        throw .malformed(path: path, what: "line \(number): \(error.what)")
      }
    }
  }

  private mutating func takeBusLine(_ words: inout I2CRecordingLine) throws(I2CRecordingLine.Fault) {
    if words.skip("functions") {
      guard words.skip("smbus") else { throw words.fault("functions is followed by smbus") }
      knowsOnlySMBus = true
    } else {
      fault = try words.busFault()
    }
  }
}

extension I2CRecording.Chip {
  fileprivate mutating func take(_ words: inout I2CRecordingLine) throws(I2CRecordingLine.Fault) {
    if words.skip("registers") {
      let first = try words.byte()
      for (offset, byte) in try words.equals().enumerated() {
        guard let register = UInt8(exactly: Int(first) + offset), !has(register) else {
          throw words.fault("a register past FF, or one that is already told")
        }
        bytes[register] = byte
      }
    } else if words.skip("register") {
      let register = try words.byte()
      guard !has(register) else { throw words.fault("this register is already told") }
      wide[register] = try words.equals()
    } else if words.skip("after") {
      let written = words.bytes()
      guard !written.isEmpty, words.skip("register") else { throw words.fault("after is followed by bytes and register") }
      let register = try words.byte()
      effects.append(.init(written: written, register: register, bytes: try words.equals()))
    } else if words.peek == "w" || words.peek == "r" {
      let messages = try words.messages()
      script[messages, default: []].append(try words.outcome(of: messages))
    } else {
      fault = try words.busFault()
    }
  }
}
