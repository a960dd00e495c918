import Telemetry

extension RecordedCalls {
  /// From `dbus/<service>/<object path>/`, a file for each call: `<interface>.<member>` and its arguments, separated by blanks. It holds the
  /// answer as `busctl --json=short call` prints it. In `dbus/org.freedesktop.timesync1/org/freedesktop/timesync1/` for example there is
  ///
  /// ```
  /// org.freedesktop.DBus.Properties.GetAll org.freedesktop.timesync1.Manager
  /// {"type":"a{sv}","data":[{"ServerName":{"type":"s","data":"192.0.2.1"},"PollIntervalUSec":{"type":"t","data":64000000}}]}
  /// ```
  ///
  /// from which single properties are answered too. An error has its name as `error`, and a text or none as data:
  /// `{"error":"org.freedesktop.DBus.Error.AccessDenied","data":["no"]}`. What is not recorded is absent.
  /// A dictionary whose keys are no texts, which busctl does not print, is a list of pairs.
  public func dbus(at path: String, isBus: Bool) -> any DBus { RecordedDBus(self) }
}

/// Answers of services from files.
private final class RecordedDBus: DBus {
  private let calls: RecordedCalls

  init(_ calls: RecordedCalls) { self.calls = calls }

  func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? {
    let place = (["\(object.interface).\(member)"] + arguments).joined(separator: " ")
    let file = "/dbus/\(object.service)\(object.path)/\(place)"
    let bytes: [UInt8]
    do throws(SensorError) {
      bytes = try calls.recorded(file).read { (text) throws(SensorError) in Array(text.rest().utf8) }
    } catch {
      guard case .absent = error else { throw error }
      // As a bus says it that knows nothing of it: not by the name of a file.
      let isKnown = calls.files.exists("/dbus/\(object.service)")
      let absence = SensorError.absent("\(object.service) on D-Bus\(isKnown ? ": \(member)" : "")")
      guard member == "Get", arguments.count == 2 else { throw absence }
      let all = try call(object, "GetAll", [arguments[0]])
      guard let all else { throw absence }
      for entry in all.items where entry.item(0)?.text == arguments[1] { return entry.item(1) }
      throw absence
    }
    guard let answer = try? JSONValue(parsing: bytes) else { throw .malformed(path: file, what: "no JSON") }
    if let name = answer["error"]?.text {
      throw .dbus(object.service, error: name, answer["data"]?.elements?.first?.text)
    }
    guard let type = answer["type"]?.text, let data = answer["data"]?.elements else {
      throw .malformed(path: file, what: "no answer as busctl prints it")
    }
    var values = DBusMarshalling(type)
    for value in data {
      guard values.append(value) else { throw .malformed(path: file, what: "the data is not of the type '\(type)'") }
    }
    return values.first
  }
}

/// Marshals values that are written as JSON, by their signature: what `busctl --json=short` prints, the other way round.
struct DBusMarshalling {
  private let signature: [UInt8]
  private var at = 0
  private(set) var body = DBusWriter()

  init(_ signature: String) { self.signature = Array(signature.utf8) }

  /// The first of the values, read as one that came over the wire; nil when there is none.
  var first: DBusValue? {
    // The types behind the values.
    let cursor = DBusCursor(bytes: body.bytes + signature, isBigEndian: false, type: body.bytes.count, offset: 0)
    var walk = cursor
    return !signature.isEmpty && walk.skip() ? DBusValue(cursor) : nil
  }

  private var code: UInt8 { at < signature.count ? signature[at] : 0 }

  /// Adds the next value; false when it is not of its type.
  mutating func append(_ value: JSONValue) -> Bool {
    let code = code
    let size = DBusCursor.size(code)
    if size > 0 {
      at += 1
      guard let bits = Self.bits(value, code) else { return false }
      body.number(bits, size: size)
      return true
    }
    switch (code, value) {
    case (UInt8(ascii: "s"), .string(let text)), (UInt8(ascii: "o"), .string(let text)), (UInt8(ascii: "g"), .string(let text)):
      body.text(text, lengthSize: code == UInt8(ascii: "g") ? 1 : 4)
      at += 1
      return true
    case (UInt8(ascii: "v"), .object):
      guard let type = value["type"]?.text, let data = value["data"] else { return false }
      body.text(type, lengthSize: 1)
      // With the values so far, for alignment counts from their beginning.
      var inner = DBusMarshalling(type)
      inner.body = body
      guard inner.append(data), inner.at == inner.signature.count else { return false }
      body = inner.body
      at += 1
      return true
    case (UInt8(ascii: "("), .array(let fields)), (UInt8(ascii: "{"), .array(let fields)):
      body.align(8)
      at += 1
      for field in fields where !append(field) { return false }
      at += 1
      return at <= signature.count && signature[at - 1] == (code == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}"))
    case (UInt8(ascii: "a"), _): return appendArray(value)
    default: return false
    }
  }

  private mutating func appendArray(_ value: JSONValue) -> Bool {
    body.align(4)
    let length = body.bytes.count
    body.number(0, size: 4)
    at += 1
    let element = at
    let alignment = DBusCursor.alignment(code)
    guard alignment > 0 else { return false }
    body.align(alignment)
    let start = body.bytes.count
    if code == UInt8(ascii: "{"), let members = value.members {
      for member in members {
        at = element + 1
        body.align(8)
        guard append(.string(member.key)), append(member.value), code == UInt8(ascii: "}") else { return false }
      }
    } else if let elements = value.elements {
      for value in elements {
        at = element
        guard append(value) else { return false }
      }
    } else {
      return false
    }
    body.set(length: body.bytes.count - start, at: length)
    // Over the element's type, of which there may have been no value.
    var types = DBusCursor(bytes: signature, isBigEndian: false, type: element, offset: 0)
    guard types.skipType(depth: PlatformLimits.dbusDepth) else { return false }
    at = types.type
    return true
  }

  private static func bits(_ value: JSONValue, _ code: UInt8) -> UInt64? {
    switch (code, value) {
    case (UInt8(ascii: "b"), .bool(let flag)): flag ? 1 : 0
    case (UInt8(ascii: "d"), .number(let number)): number.bitPattern
    case (UInt8(ascii: "b"), _): nil
    // The largest numbers, which stand for no value, are not exact in JSON.
    case (_, .number(let number)) where number >= 0: number < 0x1p64 ? UInt64(exactly: number) : .max
    case (_, .number(let number)): Int64(exactly: number).map { UInt64(bitPattern: $0) }
    default: nil
    }
  }
}
