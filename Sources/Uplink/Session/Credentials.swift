import Glibc
import Platform

/// A secret in the first line of a file.
enum Secret {
  /// Reads it; `what` names it in errors, which never hold any of it.
  static func read(_ path: String, _ what: String) throws(MQTTError) -> String {
    do throws(CredentialError) {
      return try CredentialFile.secret(path, limit: UplinkLimits.passwordBytes)
    } catch {
      throw MQTTError(operation: "read the \(what) file \(path)", text: error.text)
    }
  }
}

/// The files that a connection was made with, and whether they are still the same: by stat(2), once a minute.
struct CredentialWatch {
  private struct Mark: Equatable {
    var device, inode, size, seconds, nanoseconds: Int64
  }

  private let files: [String]
  private let marks: [Mark?]
  private var lookedAt: Int64
  private var isStale = false

  /// To be made before the files are read: what changes in between is noticed then.
  init(_ settings: UplinkSettings, now: Int64) {
    files = settings.credentialFiles
    marks = files.map(CredentialWatch.mark)
    lookedAt = now
  }

  /// Whether another connection is wanted: at once when nothing is under way, else at the look after the one that saw it.
  mutating func wantsRenewal(now: Int64, isIdle: Bool) -> Bool {
    guard !files.isEmpty else { return false }
    let isTime = now - lookedAt >= Int64(UplinkLimits.credentialSeconds) * 1_000
    guard isTime else { return isStale && isIdle }
    lookedAt = now
    let wasStale = isStale
    // One that is gone for the moment is about to be replaced.
    isStale = zip(files, marks).contains { file, mark in CredentialWatch.mark(file).map { $0 != mark } ?? false }
    return isStale && (isIdle || wasStale)
  }

  private static func mark(_ path: String) -> Mark? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Mark(
      device: Int64(truncatingIfNeeded: status.st_dev), inode: Int64(truncatingIfNeeded: status.st_ino),
      size: Int64(status.st_size),
      seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
  }
}

extension UplinkSettings {
  /// The files that prove who the node is and whom it trusts, as far as a broker asks for them.
  var credentialFiles: [String] {
    let login = username == nil ? [] : [passwordFile]
    let files = usesTLS ? [tls.caFile, tls.certificateFile, tls.keyFile, tls.keyPasswordFile] : []
    return (login + files).compactMap(\.self)
  }

  private var usesTLS: Bool { brokers.contains { $0.transport == .tls } }

  /// What makes a connection less safe than it looks; nil when nothing does.
  public var warning: String? {
    guard usesTLS, !tls.verifyServerName else { return nil }
    return
      "the broker's name is not checked (verify_server_name: false): whoever holds a certificate of its authority can pose as it"
  }
}
