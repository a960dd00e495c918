import Glibc

/// Why a file gives no secret, for people; never with any of it.
public struct CredentialError: Error, Hashable, Sendable {
  /// What is wrong.
  public let text: String
}

/// Files that prove who the device is.
public enum CredentialFile {
  /// Why a file is none to open, for people: a pipe or a device in its place would hold the thread up.
  public static func problem(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, access(path, R_OK) == 0 else { return String(cString: strerror(errno)) }
    return status.st_mode & S_IFMT == S_IFREG ? nil : "it is no file"
  }

  /// The secret in its first line, of less than `limit` bytes.
  public static func secret(_ path: String, limit: Int) throws(CredentialError) -> String {
    if let problem = problem(of: path) { throw CredentialError(text: problem) }
    // Should it have become a pipe since, nobody is waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw CredentialError(text: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw CredentialError(text: String(cString: strerror(errno))) }
    let line = bytes[0..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    // Cut short it would only be refused by the other side.
    guard line.count < bytes.count else { throw CredentialError(text: "its line has \(bytes.count) bytes or more") }
    return String(decoding: line, as: UTF8.self)
  }
}
