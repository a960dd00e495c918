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
