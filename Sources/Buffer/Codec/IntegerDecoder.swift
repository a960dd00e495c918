/// Reads what IntegerEncoder wrote.
enum IntegerDecoder {
  /// Reads `count` numbers whose mode byte was read already; false when they are damaged.
  static func read(_ count: Int, mode: UInt8, from reader: inout VarintReader, to values: inout [Int64]) -> Bool {
    values.removeAll(keepingCapacity: true)
    let order = mode & 3
    guard order < 3, let base = reader.zigzag() else { return false }
    var slope: Int64 = 0
    if order == 2 {
      guard let read = reader.zigzag() else { return false }
      slope = read
    }
    switch mode >> 2 & 3 {
    case IntegerEncoder.same:
      guard let residual = reader.zigzag() else { return false }
      values.append(contentsOf: repeatElement(residual, count: count))
    case IntegerEncoder.varints:
      // Every number takes at least a byte: a damaged count cannot ask for memory without end.
      guard count <= reader.left else { return false }
      values.append(contentsOf: repeatElement(0, count: count))
      let isGood = values.withUnsafeMutableBufferPointer { values in
        for index in values.indices {
          guard let residual = reader.zigzag() else { return false }
          values[index] = residual
        }
        return true
      }
      guard isGood else { return false }
    case IntegerEncoder.packed:
      guard unpack(count, from: &reader, to: &values) else { return false }
    default:
      return false
    }
    restore(order, base, slope, &values)
    return true
  }

  private static func restore(_ order: UInt8, _ base: Int64, _ slope: Int64, _ values: inout [Int64]) {
    values.withUnsafeMutableBufferPointer { values in
      var before = base
      switch order {
      case 0:
        for index in values.indices { values[index] &+= base }
      case 1:
        for index in values.indices {
          before &+= values[index]
          values[index] = before
        }
      default:
        var step = slope
        for index in values.indices {
          step &+= values[index]
          before &+= step
          values[index] = before
        }
      }
    }
  }

  private static func unpack(_ count: Int, from reader: inout VarintReader, to values: inout [Int64]) -> Bool {
    var done = 0
    while done < count {
      let number = min(64, count - done)
      guard let least = reader.zigzag(), let width = reader.byte().map(Int.init), width <= 64,
        let start = reader.take((number * width + 7) / 8)
      else { return false }
      if width == 0 {
        values.append(contentsOf: repeatElement(least, count: number))
      } else {
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        values.append(contentsOf: repeatElement(least, count: number))
        values.withUnsafeMutableBufferPointer { values in
          for index in 0..<number {
            values[done + index] &+= Int64(bitPattern: reader.bits(at: start, bit: index * width) & mask)
          }
        }
      }
      done += number
    }
    return true
  }
}

extension VarintReader {
  /// Bytes not yet read.
  var left: Int { bytes.count - position }

  @inline(__always)
  mutating func zigzag() -> Int64? {
    guard let value = varint() else { return nil }
    return WireNumber.unzigzag(value)
  }

  /// The 64 bits that begin at a bit behind `start`; those beyond the end are 0.
  @inline(__always)
  func bits(at start: Int, bit: Int) -> UInt64 {
    let byte = start + bit >> 3
    let shift = UInt64(bit & 7)
    if byte + 9 <= bytes.count {
      let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)) >> shift
      return shift == 0 ? low : low | UInt64(bytes[byte + 8]) << (64 - shift)
    }
    var value: UInt64 = 0
    for offset in 0..<9 where byte + offset < bytes.count {
      let part = UInt64(bytes[byte + offset])
      let place = offset * 8 - Int(shift)
      if place < 0 { value |= part >> UInt64(-place) } else if place < 64 { value |= part << UInt64(place) }
    }
    return value
  }
}
