/// Undoes the kernel's escaping of paths in `/proc/self/mountinfo` and `/proc/mounts`: `\040` is a space, `\011` a tab, `\012` a
/// line feed, `\134` a backslash, `\043` a `#` (seq_path and mangle in fs/seq_file.c). A backslash without three octal digits
/// behind it stands for itself.
public func unescapedOctal(_ text: String) -> String {
  guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
  let bytes = Array(text.utf8)
  var plain: [UInt8] = []
  plain.reserveCapacity(bytes.count)
  var index = 0
  while index < bytes.count {
    if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count {
      let digits = bytes[(index + 1)...(index + 3)].map { $0 &- 0x30 }
      if digits[0] < 4, digits[1] < 8, digits[2] < 8 {
        plain.append(digits[0] << 6 | digits[1] << 3 | digits[2])
        index += 4
        continue
      }
    }
    plain.append(bytes[index])
    index += 1
  }
  return String(decoding: plain, as: UTF8.self)
}
