import CLinux
import Glibc

/// A connection that carries bytes, plain or by TLS. Deadlines are of `SystemClock.monotonicNanoseconds`.
public protocol ByteStream: AnyObject {
  /// Takes what comes next, at most `limit` bytes; none when the other side is done.
  func read(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8]
  /// Sends all of the bytes.
  func write(_ bytes: [UInt8], until deadline: Int64) throws(NetworkFailure)
}

/// A TCP connection; closed when it is dropped.
public final class TCPStream: ByteStream {
  fileprivate let socket: NetworkSocket

  /// Connects.
  public init(to address: NetworkAddress, port: UInt16, until deadline: Int64) throws(NetworkFailure) {
    socket = try NetworkSocket(GODWIT_STREAM, isIPv6: address.isIPv6)
    try socket.connect(to: address, port: port, until: deadline)
  }

  /// By recv(2).
  public func read(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8] {
    try socket.receive(limit, until: deadline)
  }

  /// By send(2).
  public func write(_ bytes: [UInt8], until deadline: Int64) throws(NetworkFailure) {
    try socket.send(bytes, until: deadline)
  }
}

/// Whose certificates are trusted, and which is shown. Making one reads files: keep it.
public final class TLSTrust: Sendable {
  private let context: Int

  /// Whether this machine has an OpenSSL.
  public static var isThere: Bool { godwit_tls_is_there() != 0 }

  /// Trusts the certificates of a PEM file, or without one those of the system, and shows a certificate of its own where there is one. Nil
  /// when a file cannot be read, a key wants a password or is another certificate's.
  public init?(file: String?, certificate: String? = nil, key: String? = nil) {
    guard let made = godwit_tls_trust(file, certificate, key) else { return nil }
    // An SSL_CTX counts its users itself, under its own lock: SSL_CTX_new(3).
    context = Int(bitPattern: made)
  }

  deinit { godwit_tls_forget(UnsafeMutableRawPointer(bitPattern: context)) }

  fileprivate func begin(_ descriptor: Int32, name: String) -> UnsafeMutableRawPointer? {
    godwit_tls_begin(UnsafeMutableRawPointer(bitPattern: context), descriptor, name)
  }
}

/// TLS over a connection. A certificate that is not trusted ends nothing: look at `distrust` before anything is sent that others may not see.
public final class TLSStream: ByteStream {
  private let stream: TCPStream
  private let session: UnsafeMutableRawPointer

  /// Makes the handshake with a server of that name.
  public init(over stream: TCPStream, trust: TLSTrust, name: String, until deadline: Int64) throws(NetworkFailure) {
    self.stream = stream
    guard let session = trust.begin(stream.socket.descriptor, name: name) else { throw .tls("'\(name)' is no server's name") }
    self.session = session
    while true {
      let result = godwit_tls_handshake(session)
      if result > 0 { return }
      try wait(result, until: deadline)
    }
  }

  deinit { godwit_tls_end(session) }

  /// By SSL_read(3).
  public func read(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: limit)
    while true {
      let result = godwit_tls_read(session, &piece, Int32(clamping: limit))
      if result > 0 { return Array(piece[0..<Int(result)]) }
      if result == Int32(GODWIT_TLS_CLOSED) { return [] }
      try wait(result, until: deadline)
    }
  }

  /// By SSL_write(3), which takes all or nothing.
  public func write(_ bytes: [UInt8], until deadline: Int64) throws(NetworkFailure) {
    while true {
      let result = godwit_tls_write(session, bytes, Int32(clamping: bytes.count))
      if result > 0 { return }
      try wait(result, until: deadline)
    }
  }

  /// Seconds since 1970 at which the server's certificate ends; nil when it has none.
  public var certificateEnd: Int64? {
    let end = godwit_tls_certificate_end(session)
    return end == 0 ? nil : end
  }

  /// What is wrong with the server's certificate; nil when it is trusted and has the name.
  public var distrust: String? { godwit_tls_distrust(session).map { String(cString: $0) } }

  private func wait(_ result: Int32, until deadline: Int64) throws(NetworkFailure) {
    switch result {
    case Int32(GODWIT_TLS_WANTS_READ): try stream.socket.wait(.readable, until: deadline)
    case Int32(GODWIT_TLS_WANTS_WRITE): try stream.socket.wait(.writable, until: deadline)
    case Int32(GODWIT_TLS_CLOSED): throw .closed
    default:
      var text = [CChar](repeating: 0, count: 128)
      godwit_tls_failure(&text, text.count)
      let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw reason.isEmpty ? .closed : .tls(reason)
    }
  }
}
