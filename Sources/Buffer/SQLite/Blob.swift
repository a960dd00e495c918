import CSQLite

/// One blob, read in parts: only the pages that hold them are fetched (sqlite.org/c3ref/blob_open.html).
final class Blob {
  private let handle: OpaquePointer
  private let database: Database
  let count: Int

  init(_ handle: OpaquePointer, of database: Database) {
    self.handle = handle
    self.database = database
    count = Int(sqlite3_blob_bytes(handle))
  }

  deinit { sqlite3_blob_close(handle) }

  /// Reads a part into `bytes`, replacing what is there.
  func read(_ range: Range<Int>, into bytes: inout [UInt8]) throws(BufferError) {
    if bytes.count != range.count { bytes = [UInt8](repeating: 0, count: range.count) }
    let code = bytes.withUnsafeMutableBytes {
      sqlite3_blob_read(handle, $0.baseAddress, Int32(clamping: range.count), Int32(clamping: range.lowerBound))
    }
    guard code == SQLITE_OK else { throw database.failure(code, "read") }
  }
}
