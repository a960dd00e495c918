import CLinux

extension LinuxCalls {
  /// By CPUID.
  public var hypervisorSignature: String? {
    var signature = [CChar](repeating: 0, count: 13)
    guard godwit_hypervisor_signature(&signature) != 0 else { return nil }
    return String(decoding: signature.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension RecordedCalls {
  /// From `cpuid`.
  public var hypervisorSignature: String? { try? recorded("/cpuid").line() }
}

/// A digest that nobody can make, or find a text for by trying all, without the key: HMAC (RFC 2104) with SHA-256.
public enum KeyedDigest {
  /// Its 32 bytes; nil where the system has no OpenSSL.
  public static func bytes(of text: String, key: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: 32)
    let text = Array(text.utf8)
    return godwit_keyed_digest(key, key.count, text, text.count, &digest) != 0 ? digest : nil
  }
}
