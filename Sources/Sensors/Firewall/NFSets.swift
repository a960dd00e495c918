import Platform
import Telemetry

extension NFTables {
  /// Digests of the elements of sets by `family table set`: of those without a name, which are parts of rules; of the others where they are
  /// wanted and no packet or time changes them.
  func setContents(_ report: inout FirewallReport) throws(SensorError) -> [String: Int] {
    var sets: [(number: UInt8, family: String, table: String, name: String)] = []
    try ask(.sets, "sets") { (content) throws(SensorError) in
      guard let (family, table) = owner(content) else { return }
      var name = ""
      var flags: UInt32 = 0
      var digest = RulesDigest()
      for (type, value) in content.attributes(from: 4) {
        switch type {
        case 2: name = value.text
        case 3:
          flags = value.big32
          digest.add(value)
        // NFTA_SET_KEY_TYPE … NFTA_SET_DATA_LEN
        case 4...7: digest.add(value)
        // NFTA_SET_DESC: how many elements there may be, and the parts of a key; NFTA_SET_TIMEOUT, NFTA_SET_OBJ_TYPE; NFTA_SET_EXPR and
        // NFTA_SET_EXPRESSIONS: what each element gets.
        case 9, 11, 15, 17, 18: Self.add(type, value, to: &digest)
        default: break
        }
      }
      // NFT_SET_ANONYMOUS, NFT_SET_TIMEOUT, NFT_SET_EVAL
      if flags & 1 == 0 {
        digest.add(name)
        report.tables[report.table(family, table)].digest.add(digest.whole)
      }
      guard flags & 1 != 0 || withSets && flags & 0x30 == 0 else { return }
      guard sets.count < FirewallLimits.sets else {
        report.problem = .device(
          "nf_tables", what: "more than \(FirewallLimits.sets) sets: the digest is without the others' elements")
        return
      }
      sets.append((content.byte() ?? 0, family, table, name))
    }
    var contents: [String: Int] = [:]
    let end = SystemClock.bootMilliseconds + FirewallLimits.readMilliseconds
    for set in sets {
      // Half of them would be another digest.
      guard SystemClock.bootMilliseconds < end else { throw .timedOut }
      var sum: UInt64 = 0
      let names =
        NetlinkRequest.attribute(1, Array(set.table.utf8) + [0]) + NetlinkRequest.attribute(2, Array(set.name.utf8) + [0])
      do throws(SensorError) {
        try ask(.elements, "elements.\(set.family).\(set.table).\(set.name)", family: set.number, attributes: names) {
          (content) throws(SensorError) in
          for (type, list) in content.attributes(from: 4) where type == 3 {
            // The kernel lists them by a hash with a seed of its own: their order says nothing.
            for (_, element) in list.attributes() { sum &+= Self.digest(ofElement: element) }
          }
        }
      } catch {
        // It went meanwhile: the generation tells, and all is read again.
        guard case .absent = error else { throw error }
      }
      contents["\(set.family) \(set.table) \(set.name)"] = Int(Int64(bitPattern: sum))
      if !set.name.hasPrefix("__") { report.tables[report.table(set.family, set.table)].digest.add(sum) }
    }
    return contents
  }

  /// NFTA_SET_ELEM_KEY, DATA, FLAGS, OBJREF, KEY_END, EXPR, EXPRESSIONS; not its times and counters.
  ///
  /// Intervals are pairs of elements, the second with NFT_SET_ELEM_INTERVAL_END, or with several fields one element with KEY_END.
  private static func digest(ofElement element: NetlinkBytes) -> UInt64 {
    var digest = RulesDigest()
    for (type, value) in element.attributes() {
      switch type {
      case 1, 3, 9, 10:
        digest.add(UInt64(type))
        digest.add(value)
      case 2: add(verdict: value, to: &digest)
      case 7: add(expression(value), to: &digest)
      case 11: for (_, value) in value.attributes() { add(expression(value), to: &digest) }
      default: break
      }
    }
    return digest.whole
  }
}
