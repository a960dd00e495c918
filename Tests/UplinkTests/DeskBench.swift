import Foundation
import Telemetry

@testable import Uplink

/// A desk with its clocks, and what it said so far.
struct DeskBench {
  /// 2026-01-01T00:00:00Z.
  static let start: Int64 = 1_767_225_600_000
  var moment = CommandMoment(bootMilliseconds: 1_000_000, wallMilliseconds: start, isSynced: true)
  var desk: CommandDesk
  /// What the agent was handed.
  private(set) var runs: [CommandRequest] = []
  private(set) var records: [CommandRecord] = []
  private(set) var remembered = ""

  init(_ allowed: Set<CommandName> = Set(CommandName.allCases), remembered: String = "", synced: Bool = true) {
    moment.isSynced = synced
    desk = CommandDesk(allowed: allowed, remembered: remembered, at: moment)
    hand()
  }

  mutating func hand() {
    var handed: [CommandNotice] = []
    desk.hand {
      handed.append($0)
      return true
    }
    for notice in handed {
      switch notice {
      case .run(let request): runs.append(request)
      case .record(let record): records.append(record)
      case .remember(let text): remembered = text
      }
    }
  }

  mutating func receive(_ payload: String, id: String = "c1", _ arrival: CommandDesk.Arrival = .init()) {
    desk.receive(Array(payload.utf8), id: id, arrival, at: moment)
    hand()
  }

  mutating func answer(_ outcome: CommandAnswer.Outcome, id: String = "c1") {
    desk.answer(CommandAnswer(id: id, outcome), at: moment)
    hand()
  }

  mutating func look() {
    _ = desk.lookAfter(moment)
    hand()
  }

  mutating func pass(milliseconds: Int64) {
    moment.bootMilliseconds += milliseconds
    moment.wallMilliseconds += milliseconds
  }

  /// The states told since the last call, a reason behind a colon, `(live)` when not retained.
  mutating func states() throws -> [String] {
    var states: [String] = []
    while let status = desk.takeStatus() {
      let object = try JSONSerialization.jsonObject(with: Data(status.json)) as? [String: Any]
      let reason = (object?["reason"] as? String).map { ": \($0)" } ?? ""
      states.append("\(object?["state"] as? String ?? "?")\(reason)\(status.isRetained ? "" : " (live)")")
    }
    return states
  }

  static func command(_ name: String, t: String = "2026-01-01T00:00:00Z", _ more: String = "") -> String {
    #"{"command":"\#(name)","t":"\#(t)"\#(more)}"#
  }
}
