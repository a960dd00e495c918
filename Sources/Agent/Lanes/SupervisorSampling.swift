import Profile
import Sensors
import Telemetry

extension Supervisor {
  // MARK: Lanes

  func makeLane(_ sensor: SensorProfile) -> LaneSlot? {
    guard let (kind, make) = environment.maker(sensor.kind) else { return nil }
    let lane: any SensorLane =
      kind.lane == .fast
      ? FastLane(make, profile: sensor, context: environment.context, clock: environment.clock)
      : SlowLane(make, kind, profile: sensor, context: environment.context, clock: environment.clock)
    var figures = AgentStatistics.SensorFigures(name: sensor.kind)
    figures.everyMilliseconds = sensor.everyMilliseconds
    return LaneSlot(lane: lane, kind: kind, figures: figures)
  }

  /// Takes these lanes instead of those before; one that is kept goes on where it was.
  func setLanes(_ wanted: [LaneSlot], kept: [LaneSlot], _ oldPaces: [LanePace]) {
    lanes = wanted
    sources = SeriesSources(wanted)
    paces = wanted.enumerated().map { place, slot in
      let old = kept.firstIndex { $0.lane === slot.lane }.map { oldPaces[$0] }
      var pace = old ?? LanePace()
      pace.settle(slot.lane, place: place, tickMilliseconds: profile.tickMilliseconds, from: tickIndex)
      return pace
    }
    untold = Array(lanes.indices)
  }

  // MARK: The samples of a tick

  func sample(_ now: Int64) {
    defer { samplesAll = false }
    for index in values.indices { values[index] = .missing }
    for index in paces.indices {
      guard let isDue = paces[index].call(at: now, samplesAll || paces[index].isDue(tickIndex)) else { continue }
      let report = lanes[index].lane.tick(now: now, isDue: isDue)
      paces[index].take(report)
      if report.isAsked { asked.append(index) }
      if let problems = report.answer { lanes[index].note(problems: problems, tick: nextSequence) }
      if report.outcome != nil { note(report, at: index) }
      if report.hasValues { collect(index) }
      if report.outcome != nil || report.hasValues { untold.append(index) }
    }
  }

  /// Lets the threads go that this tick asked: beside the rest of the tick they would take its caches, and perhaps its processor.
  func beginSamples() {
    for index in asked { lanes[index].lane.begin() }
    asked.removeAll(keepingCapacity: true)
  }

  /// What this tick has of some series.
  func measured(where isWanted: (Series) -> Bool) -> [Double] {
    zip(table.series, values).compactMap { series, value in !value.isMissing && isWanted(series) ? value : nil }
  }

  /// Moves a lane's values to their places in the tick.
  private func collect(_ index: Int) {
    let readings = lanes[index].lane.readings
    while lanes[index].ids.count < readings.series.count {
      let id = table.id(of: readings.series[lanes[index].ids.count]) ?? -1
      lanes[index].ids.append(id)
      sources.claim(id, lane: index)
      while values.count < table.count {
        values.append(.missing)
        if latest.count < values.count { latest.append(.missing) }
      }
    }
    while values.count < table.count { values.append(.missing) }
    let (ids, sampled) = (lanes[index].ids, readings.values)
    var count = 0
    for slot in ids.indices where ids[slot] >= 0 {
      let value = sampled[slot]
      values[ids[slot]] = value
      latest[ids[slot]] = value
      if !value.isMissing { count += 1 }
    }
    lanes[index].figures.values = count
  }

  private func note(_ report: LaneReport, at index: Int) {
    let name = lanes[index].figures.name
    let (old, told) = (lanes[index].figures.outcome, lanes[index].figures.problem)
    lanes[index].figures.outcome = report.outcome ?? old
    lanes[index].figures.problem = report.problem.map(Log.line)
    lanes[index].figures.durationSeconds = Double(report.durationNanoseconds) / 1e9
    if report.hasValues { lanes[index].figures.sampledAtNanoseconds = report.sampledNanoseconds }
    switch report.outcome {
    case .ok: if old != .ok { environment.log.recovered("sensor \(name)", "reads again") }
    case .absent: if old != .absent { environment.log.info("sensor \(name)", report.problem ?? "absent") }
    case .partial:
      let areTold = told == lanes[index].figures.problem
      environment.log.problems("sensor \(name)", report.problems, count: report.problemCount, areTold: areTold)
    case .failed, .timedOut:
      lanes[index].figures.failures += 1
      environment.log.problem("sensor \(name)", report.problem ?? "failed")
      forget(index)
    case .starting, nil: break
    }
    if report.outcome == .absent { forget(index) }
  }

  /// The live view must not show what a sensor that fails said long ago.
  private func forget(_ index: Int) {
    for id in lanes[index].ids where id >= 0 { latest[id] = .missing }
    lanes[index].figures.values = 0
  }
}
