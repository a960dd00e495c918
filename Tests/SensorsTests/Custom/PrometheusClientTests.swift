import Foundation
import Telemetry
import Testing

@testable import Sensors

/// Texts as others read them: the parser of prometheus_client for Python, where it is installed.
@Suite struct PrometheusClientTests {
  private static let script = """
    import json, sys
    from prometheus_client.parser import text_string_to_metric_families as families
    for path in sys.argv[1:]:
        found = []
        for family in families(open(path, encoding="utf-8").read()):
            for s in family.samples:
                found.append([s.name, sorted(s.labels.items()), repr(float(s.value))])
        print(json.dumps(found))
    """

  private static let texts = [
    """
    # HELP http_requests_total The total number of HTTP requests.
    # TYPE http_requests_total counter
    http_requests_total{method="post",code="200"} 1027 1395066363000
    http_requests_total{method="post",code="400"}    3 1395066363000

    # Escaping in label values:
    msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
    metric_without_timestamp_and_labels 12.47
    # Minimalistic line:
    something_weird{problem="division by zero"} +Inf -3982045
    # TYPE http_request_duration_seconds histogram
    http_request_duration_seconds_bucket{le="0.05"} 24054
    http_request_duration_seconds_bucket{le="+Inf"} 144320
    http_request_duration_seconds_sum 53423
    http_request_duration_seconds_count 144320

    """,
    "a{ b = \"c\" , d=\"}{,=#\" , } 5e-1\n\n   spaced   1\ntab\t2\n#no comment\nx{} NaN\n",
  ]

  @Test func theSameValuesAreRead() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-prometheus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    var files: [String] = []
    for (index, text) in Self.texts.enumerated() {
      let file = root.appendingPathComponent("\(index).prom")
      try Data(text.utf8).write(to: file)
      files.append(file.path)
    }
    let python = Process()
    let tools = CaseTests.folder.appendingPathComponent("../../../.build/prometheus/bin/python").path
    // No link is followed, neither here nor by Process: behind its link a python knows nothing of its virtual environment.
    python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    python.arguments = [FileManager.default.isExecutableFile(atPath: tools) ? tools : "python3", "-c", Self.script] + files
    let output = Pipe()
    python.standardOutput = output
    let errors = Pipe()
    python.standardError = errors
    guard (try? python.run()) != nil else {
      print("no python: values are not compared with prometheus_client")
      return
    }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    python.waitUntilExit()
    guard python.terminationStatus == 0 else {
      // Only a missing module is no failure of this test.
      let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      #expect(said.contains("ModuleNotFoundError"), "\(said)")
      print("no prometheus_client (python3 -m venv .build/prometheus; pip install prometheus_client): not compared")
      return
    }
    let lines = text.split(separator: 0x0A)
    try #require(lines.count == Self.texts.count)
    for (line, text) in zip(lines, Self.texts) {
      let theirs = try #require(try JSONSerialization.jsonObject(with: line) as? [[Any]])
      let ours = try OpenMetricsText.samples(Array(text.utf8))
      #expect(ours.count == theirs.count)
      func key(_ name: String, _ labels: [Label], _ value: Double) -> String {
        "\(Series.key(name: name, labels: labels.sorted())) \(value)"
      }
      let expected = theirs.map { sample in
        let labels = (sample[1] as? [[String]] ?? []).map { Label($0[0], $0[1]) }
        return key(sample[0] as? String ?? "", labels, Double(sample[2] as? String ?? "") ?? -1)
      }
      #expect(ours.map { key($0.name, $0.labels, $0.value) }.sorted() == expected.sorted())
    }
  }
}
