import CSQLite

/// Why the buffer could not do something: operation, file, cause.
public struct BufferError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of trouble it is; decides what the agent does about it.
  public enum Kind: String, Sendable {
    /// No space on the device. Goes on from memory until there is.
    case full
    /// The file or its directory cannot be written.
    case readOnly
    /// The file is damaged. It is set aside.
    case corrupt
    /// The file is no database of ours.
    case foreign
    /// A later version of the agent wrote it.
    case newer
    /// Another process holds it.
    case busy
    /// There is no such file, or it may not be opened.
    case cannotOpen
    /// The device answered with an error.
    case io
    /// Anything else.
    case other
  }

  /// What kind of trouble it is.
  public let kind: Kind
  /// What was tried.
  public let operation: String
  /// The database file.
  public let path: String
  /// SQLite's message.
  public let message: String
  /// SQLite's extended result code; 0 when it is none of SQLite's.
  public let code: Int32

  init(_ kind: Kind, _ operation: String, path: String, message: String, code: Int32 = 0) {
    self.kind = kind
    self.operation = operation
    self.path = path
    self.message = message
    self.code = code
  }

  /// Reads the failure of the last call on a connection.
  init(connection: OpaquePointer?, code: Int32, operation: String, path: String) {
    let extended = connection.map { sqlite3_extended_errcode($0) } ?? code
    // SQLite keeps these messages itself; they are copied here.
    let text = connection.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
    self.init(
      BufferError.kind(extended, path: path), operation, path: path, message: text.map { String(cString: $0) } ?? "error \(code)",
      code: extended)
  }

  private static func kind(_ extended: Int32, path: String) -> Kind {
    switch extended & 0xFF {
    case SQLITE_FULL: .full
    case SQLITE_READONLY, SQLITE_PERM: .readOnly
    case SQLITE_CORRUPT: .corrupt
    case SQLITE_NOTADB: FileHeader.wasBuffer(path: path) ? .corrupt : .foreign
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
    case SQLITE_CANTOPEN: .cannotOpen
    case SQLITE_IOERR: .io
    default: .other
    }
  }

  /// `cannot commit to /var/lib/godwit/buffer.db: database or disk is full (13)`.
  public var description: String {
    "cannot \(operation) \(path): \(message)" + (code == 0 ? "" : " (SQLite \(code))")
  }
}
