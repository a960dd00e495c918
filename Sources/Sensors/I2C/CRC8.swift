/// A cyclic redundancy check of 8 bits, most significant bit first, without a final exclusive or.
enum CRC8 {
  /// The check of some bytes. `polynomial` is the generator without its x⁸, `initial` what the register begins with.
  static func check(_ bytes: some Sequence<UInt8>, polynomial: UInt8, initial: UInt8) -> UInt8 {
    var register = initial
    for byte in bytes {
      register ^= byte
      for _ in 0..<8 { register = register & 0x80 == 0 ? register << 1 : register << 1 ^ polynomial }
    }
    return register
  }
}
