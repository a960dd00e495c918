/// A JSON text as a tree of values; see `JSONReader`.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// Finite.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// Members in the order of the text; no key is there twice.
  case object([Member])

  /// A member of an object.
  public struct Member: Hashable, Sendable {
    /// Its key.
    public var key: String
    /// Its value.
    public var value: JSONValue

    /// Makes a member.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// Why a text is not read.
  public struct Fault: Error, Hashable, Sendable {
    /// The byte at which it ends to be JSON, or at which a bound is passed.
    public var position: Int
  }

  /// Arrays and objects inside one another, unless a reader says otherwise.
  public static let mostDepth = 32

  /// Reads a whole text, of which only the depth is bounded: for texts whose size is bounded elsewhere.
  public init(parsing bytes: [UInt8]) throws(Fault) {
    let limits = JSONReader.Limits(bytes: bytes.count, depth: Self.mostDepth, values: .max)
    do throws(JSONError) { self = try JSONReader.read(bytes, limits: limits) } catch { throw Fault(position: error.offset) }
  }

  /// A member of an object; nil when there is none, or it is no object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The text, if it is one.
  public var text: String? { if case .string(let text) = self { text } else { nil } }

  /// The whole number from −2⁵³ to 2⁵³, if it is one: beyond that a reader may have rounded it.
  public var whole: Int64? {
    guard case .number(let number) = self, number.magnitude <= 9_007_199_254_740_992 else { return nil }
    return Int64(exactly: number)
  }

  /// The whole number from 0 to 2⁵³, if it is one.
  public var count: Int? { whole.flatMap { $0 >= 0 ? Int($0) : nil } }

  /// The elements, if it is an array.
  public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

  /// The members, if it is an object.
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension JSONWriter {
  /// Writes a value that was read.
  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .number(let value): number(value)
    case .string(let text): string(text)
    case .array(let elements):
      beginArray()
      for element in elements { self.value(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }
}
