import Buffer
import Telemetry
import Testing

@testable import Uplink

@Suite struct MetricTreeTests {
  private func text(_ series: [(name: String, labels: [Label])], _ values: [Double]) -> String {
    var tree = MetricTree()
    tree.learn(
      series.enumerated().map { id, one in
        StoredSeries(
          id: id, key: "\(one.name)\(one.labels)", name: one.name, labels: one.labels, unit: "", kind: "gauge", decimals: 3)
      })
    var writer = JSONWriter()
    tree.append(values, to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func branchesAreToldOnce() {
    let series: [(String, [Label])] = [
      ("cpu.usage_percent", []), ("disk.used_bytes", [Label("mount", "/")]), ("cpu.core_percent", [Label("core", "0")]),
      ("cpu.core_percent", [Label("core", "1")]), ("net.errors", [Label("interface", "a"), Label("way", "in")]),
      ("net.errors", [Label("interface", "a"), Label("way", "out")]),
      ("net.errors", [Label("interface", "b"), Label("way", "in")]),
    ]
    #expect(
      text(series, [1, 2, 3, 4, 5, 6, 7])
        == #"{"cpu":{"core_percent":{"0":3,"1":4},"usage_percent":1},"disk":{"used_bytes":{"/":2}},"#
        + #""net":{"errors":{"a":{"in":5,"out":6},"b":{"in":7}}}}"#)
    #expect(
      text(series, [.missing, .nan, 3, .missing, .missing, .missing, .missing])
        == #"{"cpu":{"core_percent":{"0":3}},"disk":{"used_bytes":{"/":null}}}"#)
    #expect(
      text(series, [.missing, .missing, .missing, 4, .missing, .missing, 7])
        == #"{"cpu":{"core_percent":{"1":4}},"net":{"errors":{"b":{"in":7}}}}"#)
    #expect(text(series, []) == "{}")
  }

  @Test func differentLabelsAreNamedAndBranchesKeepTheirOwnValue() {
    let series: [(String, [Label])] = [
      ("a.b", [Label("x", "1")]), ("a.b", [Label("y", "1")]), ("a.b", []), ("a", []),
      ("a.b", [Label("x", "1"), Label("y", "2")]),
    ]
    #expect(text(series, [1, 2, 3, 4, 5]) == #"{"a":{"":4,"b":{"":3,"x=1":{"":1,"y=2":5},"y=1":2}}}"#)
  }

  @Test func labelsMayHoldAnything() {
    #expect(text([("a.b", [Label("x", "\"\\\n")])], [1]) == #"{"a":{"b":{"\"\\\n":1}}}"#)
  }
}
