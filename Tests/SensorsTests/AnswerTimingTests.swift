import Telemetry
import Testing

@testable import Sensors

@Suite struct AnswerTimingTests {
  /// A thread that is put behind others measures how long it waited for them too.
  @Test func sensorsThatTimeAnswersAreNotPutBehindOthers() {
    // How the metrics are named that the agent itself takes by a clock; the kernel's own, as of requests and round trips, have other names.
    let timed = ["response_milliseconds", "probe_milliseconds", "last_milliseconds"]
    let kinds = SensorCatalogue.kinds.filter { kind in
      kind.metrics.contains { metric in timed.contains { metric.name.hasSuffix($0) } }
    }
    #expect(kinds.map(\.name).sorted() == ["dns", "io_latency", "latency", "mounts"])
    for kind in kinds { #expect(kind.timesAnswers, "\(kind.name) times answers") }
  }
}
