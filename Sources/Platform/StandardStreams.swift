import CLinux
import Glibc

/// The standard output and error, and the terminal behind them, for programs that talk to people.
public enum StandardStreams {
  /// Columns of the terminal behind standard output; nil when it is none.
  public static var terminalColumns: Int? {
    let columns = godwit_terminal_columns(STDOUT_FILENO)
    return columns > 0 ? Int(columns) : nil
  }

  /// Rows of it; nil when it is none.
  public static var terminalRows: Int? {
    let rows = godwit_terminal_rows(STDOUT_FILENO)
    return rows > 0 ? Int(rows) : nil
  }

  /// Whether standard output is a terminal.
  public static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether standard error is a terminal.
  public static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes to standard output at once. A reader that went away ends the program by SIGPIPE, as with any other tool.
  ///
  /// - Returns: 0, or the errno of why not all was written: it may lead into a file on a full disk.
  @discardableResult
  public static func write(_ bytes: [UInt8]) -> Int32 { write(bytes, to: STDOUT_FILENO) }

  /// Writes to standard error at once.
  public static func writeError(_ bytes: [UInt8]) { _ = write(bytes, to: STDERR_FILENO) }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += count
      }
      return 0
    }
  }
}
