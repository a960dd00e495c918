/// An answer of HTTP/1.x as it comes in, in pieces (RFC 9112).
public struct HTTPAnswer: Sendable {
  /// How the end of the body is known.
  private enum Body: Sendable {
    case head
    case counted(Int)
    /// Bytes left of the present chunk; nil where the line with the next one's size stands.
    case chunked(Int?)
    case untilClose
    case whole
  }

  private let bodyBytes: Int
  /// 0 until the head is whole.
  public private(set) var status = 0
  /// Where a redirect leads; empty when it does not say.
  public private(set) var location = ""
  /// What came of the body, as far as it is kept.
  public private(set) var body: [UInt8] = []
  private var state = Body.head
  private var pending: [UInt8] = []

  /// Nothing yet; at most `bodyBytes` of the body will be kept.
  public init(bodyBytes: Int = PlatformLimits.httpBodyBytes) { self.bodyBytes = bodyBytes }

  /// Whether the head is there.
  public var hasHead: Bool { status != 0 }
  /// Whether all of it is there.
  public var isWhole: Bool { if case .whole = state { true } else { false } }
  /// Whether no more of the body is kept.
  public var isFull: Bool { body.count >= bodyBytes }

  /// What came of the body since the last call; it is kept no longer.
  public mutating func drain() -> [UInt8] {
    defer { body = [] }
    return body
  }

  /// Takes the next piece in.
  public mutating func take(_ piece: [UInt8]) throws(NetworkFailure) {
    // The end of the head may lie over two pieces.
    var searched = max(pending.count - 3, 0)
    pending += piece
    while case .head = state {
      guard let end = Self.headEnd(pending, from: searched) else {
        guard pending.count <= PlatformLimits.httpHeadBytes else { throw .wrong("the head of the HTTP answer is too long") }
        return
      }
      guard end <= PlatformLimits.httpHeadBytes else { throw .wrong("the head of the HTTP answer is too long") }
      try takeHead(pending[0..<end])
      pending.removeFirst(end)
      searched = 0
    }
    try takeBody()
  }

  /// The other side closed the connection.
  public mutating func close() throws(NetworkFailure) {
    guard case .untilClose = state else { throw .closed }
    state = .whole
  }

  private static func headEnd(_ bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] == 0x0A {
        if index + 1 < bytes.count, bytes[index + 1] == 0x0A { return index + 2 }
        if index + 2 < bytes.count, bytes[index + 1] == 0x0D, bytes[index + 2] == 0x0A { return index + 3 }
      }
      index += 1
    }
    return nil
  }

  private mutating func takeHead(_ bytes: ArraySlice<UInt8>) throws(NetworkFailure) {
    let lines = bytes.split(separator: 0x0A).map { $0.last == 0x0D ? $0.dropLast() : $0 }
    let first = lines.first ?? []
    // HTTP/1.1 200 OK
    guard first.count >= 12, first.starts(with: Array("HTTP/1.".utf8)), first[first.startIndex + 8] == 0x20,
      let status = Int(String(decoding: first.dropFirst(9).prefix(3), as: UTF8.self)), (100...599).contains(status)
    else { throw .wrong("the answer is not HTTP/1.x") }
    // Interim answers come before the real one.
    guard status >= 200 || status == 101 else { return }
    self.status = status
    state = .untilClose
    for line in lines.dropFirst() {
      let name = line.prefix { $0 != 0x3A }
      var text = line.dropFirst(name.count + 1).drop { $0 == 0x20 || $0 == 0x09 }
      while text.last == 0x20 || text.last == 0x09 { text.removeLast() }
      let value = String(decoding: text, as: UTF8.self)
      switch String(decoding: name, as: UTF8.self).lowercased() {
      case "location": location = value
      case "transfer-encoding": if value.lowercased().hasSuffix("chunked") { state = .chunked(nil) }
      case "content-length":
        if case .chunked = state { break }
        guard let count = Int(value), count >= 0 else { throw .wrong("the answer has a malformed Content-Length") }
        state = .counted(count)
      default: break
      }
    }
    if status == 204 || status == 304 { state = .whole }
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    body += bytes.prefix(max(bodyBytes - body.count, 0))
  }

  private mutating func takeBody() throws(NetworkFailure) {
    switch state {
    case .head: return
    case .whole: pending = []
    case .untilClose:
      keep(pending[...])
      pending = []
    case .counted(let left):
      let taken = min(left, pending.count)
      keep(pending[0..<taken])
      pending = []
      state = left == taken ? .whole : .counted(left - taken)
    case .chunked(let left): try takeChunks(left)
    }
  }

  private mutating func takeChunks(_ first: Int?) throws(NetworkFailure) {
    var left = first
    var position = 0
    scan: while position < pending.count {
      if let count = left {
        let taken = min(count, pending.count - position)
        keep(pending[position..<position + taken])
        position += taken
        left = count == taken ? nil : count - taken
        continue
      }
      guard let end = pending[position...].firstIndex(of: 0x0A) else {
        guard pending.count - position <= PlatformLimits.httpChunkLineBytes else {
          throw .wrong("the answer has a malformed chunk")
        }
        break scan
      }
      let digits = pending[position..<end].prefix { $0 != 0x3B && $0 != 0x0D && $0 != 0x20 }
      position = end + 1
      // The line end behind a chunk.
      if digits.isEmpty { continue }
      guard digits.count <= 8, let count = Int(String(decoding: digits, as: UTF8.self), radix: 16), count >= 0 else {
        throw .wrong("the answer has a malformed chunk")
      }
      if count == 0 {
        // Trailers are of no interest.
        state = .whole
        pending = []
        return
      }
      left = count
    }
    pending.removeFirst(position)
    state = .chunked(left)
  }
}
