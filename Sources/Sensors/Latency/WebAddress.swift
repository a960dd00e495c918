/// An `http` or `https` URL, as far as a request needs it (RFC 3986).
struct WebAddress: Hashable, Sendable {
  let isSecure: Bool
  /// A name or an address, without brackets.
  let host: String
  let port: UInt16
  /// What stands in the request line: the path and what follows a `?`.
  let target: String
  /// What stands in the header `Host`.
  let authority: String

  /// Nil for anything else, and for what could break out of a header: users, blanks and control characters.
  init?(_ text: String) {
    guard text.utf8.count <= LatencyLimits.urlBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x40 }) else {
      return nil
    }
    let scheme = text.prefix { $0 != ":" }
    guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else { return nil }
    isSecure = scheme == "https"
    let rest = text.dropFirst(scheme.count + 3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
    self.target = target.hasPrefix("/") ? String(target) : "/" + target
    self.authority = String(authority)
    var after: Substring
    if authority.hasPrefix("[") {
      let inside = authority.dropFirst().prefix { $0 != "]" }
      after = authority.dropFirst(inside.count + 1)
      guard after.hasPrefix("]") else { return nil }
      after = after.dropFirst()
      host = String(inside)
    } else {
      let name = authority.prefix { $0 != ":" }
      after = authority.dropFirst(name.count)
      host = String(name)
    }
    guard !host.isEmpty, after.isEmpty || after.hasPrefix(":") else { return nil }
    if after.count > 1 {
      guard let port = UInt16(after.dropFirst()), port > 0 else { return nil }
      self.port = port
    } else {
      port = isSecure ? 443 : 80
    }
  }
}
