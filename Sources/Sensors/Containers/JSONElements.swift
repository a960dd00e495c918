import Telemetry

/// Takes the elements out of a JSON array of objects that comes in pieces, so that only one of them is in memory at a time.
struct JSONElements {
  private var depth = 0
  private var isInText = false
  private var isEscaped = false
  private var element: [UInt8] = []
  /// Elements left out because they are larger than `ContainerLimits.elementBytes`, or no JSON.
  private(set) var skipped = 0
  private var isTooLong = false
  /// Whether the array has begun, and has ended.
  private(set) var hasBegun = false
  private(set) var isWhole = false

  /// Takes the next piece; `body` gets each element and says whether more are wanted. False when no more is.
  mutating func take(_ piece: [UInt8], _ body: (JSONValue) -> Bool) -> Bool {
    for byte in piece {
      let wasInside = depth > 1
      step(byte)
      if isWhole { return false }
      guard wasInside || depth > 1 else { continue }
      if element.count < ContainerLimits.elementBytes { element.append(byte) } else { isTooLong = true }
      if depth == 1, !finish(body) { return false }
    }
    return true
  }

  /// Follows the nesting; depth 1 is inside the array.
  private mutating func step(_ byte: UInt8) {
    if isInText {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInText = false
      }
      return
    }
    switch byte {
    case UInt8(ascii: "\""): isInText = true
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      depth += 1
      hasBegun = hasBegun || byte == UInt8(ascii: "[")
      // An object instead of a list has nothing to take out.
      if !hasBegun { isWhole = true }
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      depth -= 1
      if depth <= 0 { isWhole = true }
    default: break
    }
  }

  private mutating func finish(_ body: (JSONValue) -> Bool) -> Bool {
    defer {
      element.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    guard !isTooLong, let value = EngineContainer.json(element) else {
      skipped += 1
      return true
    }
    return body(value)
  }
}
