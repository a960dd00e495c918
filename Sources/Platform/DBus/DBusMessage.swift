import Telemetry

/// Writes marshalled values, little-endian; see `DBusCursor` for their form.
struct DBusWriter {
  private(set) var bytes: [UInt8] = []

  mutating func align(_ boundary: Int) {
    while bytes.count & (boundary - 1) != 0 { bytes.append(0) }
  }

  mutating func number(_ value: UInt64, size: Int) {
    align(size)
    for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }

  mutating func text(_ text: String, lengthSize: Int = 4) {
    let utf8 = Array(text.utf8)
    number(UInt64(utf8.count), size: lengthSize)
    append(utf8)
    bytes.append(0)
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  /// Sets a length that was not known when it was written.
  mutating func set(length: Int, at offset: Int) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
  }
}

/// A message (D-Bus Specification, "Message Format"):
///
/// ```
///  0      1     2      3        4            8       12              16
/// ┌──────┬─────┬──────┬────────┬────────────┬───────┬───────────────┬──────────────────────┬─────────┬──────┐
/// │l or B│type │flags │version │body length │serial │fields' length │fields, (code,variant)│to 8     │ body │
/// └──────┴─────┴──────┴────────┴────────────┴───────┴───────────────┴──────────────────────┴─────────┴──────┘
/// ```
struct DBusMessage {
  static let fixedBytes = 16
  private static let fieldsType = Array("a(yv)".utf8)

  /// METHOD_RETURN is 2, ERROR 3.
  private let type: UInt8
  /// The serial of the call that it answers.
  private(set) var replySerial: UInt32?
  private(set) var errorName: String?
  /// The first value of its body; nil when it has none.
  private(set) var value: DBusValue?

  /// Whether it answers a call, with an error too.
  var isAnswer: Bool { type == 2 || type == 3 }
  var isError: Bool { type == 3 }

  /// How many bytes a message takes that begins with these 16; nil when none begins so, or when it is larger than is taken.
  static func length(_ head: [UInt8]) -> Int? {
    guard head.count >= fixedBytes, head[0] == UInt8(ascii: "l") || head[0] == UInt8(ascii: "B"), head[3] == 1 else { return nil }
    var cursor = DBusCursor(bytes: head, isBigEndian: head[0] == UInt8(ascii: "B"), type: 0, offset: 4)
    guard let body = cursor.unsigned(4), cursor.unsigned(4) != nil, let fields = cursor.unsigned(4) else { return nil }
    let length = fixedBytes + (Int(fields) + 7) & ~7 + Int(body)
    return length <= PlatformLimits.dbusMessageBytes ? length : nil
  }

  /// A whole message; nil when it is malformed.
  init?(_ message: [UInt8]) {
    guard let length = Self.length(message), length == message.count else { return nil }
    type = message[1]
    // The type of the fields is in no message, and a view needs it beside them.
    var cursor = DBusCursor(
      bytes: message + Self.fieldsType, isBigEndian: message[0] == UInt8(ascii: "B"), type: message.count, offset: 12)
    guard let fields = DBusValue(cursor), cursor.skip() else { return nil }
    cursor.align(8)
    var signature: Range<Int>?
    for field in fields.items {
      guard let code = field.item(0)?.unsigned, let content = field.item(1) else { return nil }
      switch code {
      case 4: errorName = content.text
      case 5: replySerial = content.unsigned.map { UInt32(truncatingIfNeeded: $0) }
      case 8: signature = content.signatureRange
      default: break
      }
    }
    guard let signature, !signature.isEmpty else { return }
    cursor.type = signature.lowerBound
    value = DBusValue(cursor)
    while cursor.type < signature.upperBound {
      guard cursor.skip() else { return nil }
    }
    guard cursor.type == signature.upperBound, cursor.offset == message.count else { return nil }
  }

  /// A call whose arguments are texts.
  static func call(_ object: DBusObject, _ member: String, _ arguments: [String], serial: UInt32, isBus: Bool) -> [UInt8] {
    var body = DBusWriter()
    for argument in arguments { body.text(argument) }
    var message = DBusWriter()
    // A method call that starts no service: NO_AUTO_START.
    message.append([UInt8(ascii: "l"), 1, 2, 1])
    message.number(UInt64(body.bytes.count), size: 4)
    message.number(UInt64(serial), size: 4)
    message.number(0, size: 4)
    func field(_ code: UInt8, _ type: Character, _ text: String) {
      message.align(8)
      message.append([code])
      message.text(String(type), lengthSize: 1)
      message.text(text, lengthSize: type == "g" ? 1 : 4)
    }
    field(1, "o", object.path)
    field(2, "s", object.interface)
    field(3, "s", member)
    if isBus { field(6, "s", object.service) }
    if !arguments.isEmpty { field(8, "g", String(repeating: "s", count: arguments.count)) }
    message.set(length: message.bytes.count - fixedBytes, at: 12)
    message.align(8)
    message.append(body.bytes)
    return message.bytes
  }
}
