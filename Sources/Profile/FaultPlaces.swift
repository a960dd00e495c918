import Telemetry

extension SectionReader {
  /// Where a setting stands that cannot be as it is; the nearest place above it when it is not written there.
  func place(of fault: SettingFault) -> Place {
    guard let node = entries[fault.key]?.value else { return place }
    guard let index = fault.item, case .list(let nodes) = node.content, nodes.indices.contains(index) else { return node.place }
    guard let key = fault.itemKey, case .map(let entries) = nodes[index].content else { return nodes[index].place }
    return entries.first { $0.key == key }?.value.place ?? nodes[index].place
  }

  /// Whether it is of a setting with which something else is wrong: that was told, and may be why.
  func isTold(_ fault: SettingFault) -> Bool {
    guard entries[fault.key] != nil else { return false }
    if given[fault.key] == nil { return true }
    return fault.item.map { faultyItems[fault.key]?.contains($0) == true } ?? false
  }
}
