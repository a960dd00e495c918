import Buffer
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

extension Supervisor {
  /// Logs when the link is lost or comes back, and each new reason.
  private func noteLink(_ uplink: UplinkStatus) {
    defer { loggedLink = uplink }
    if uplink.damagedColumns > loggedLink.damagedColumns {
      environment.log.problem("uplink", "backlog messages lack values of damaged columns; godwit buffer verify says which")
    }
    guard uplink.state != loggedLink.state || uplink.lastError != loggedLink.lastError else { return }
    if let error = uplink.lastError, error != loggedLink.lastError { environment.log.problem("uplink", error) }
    if uplink.state == .connected, uplink.connections != loggedLink.connections {
      environment.log.info("uplink", "connected to \(uplink.broker)")
      if let warning = uplink.warning { environment.log.warning("uplink", warning) }
    }
    // Not while messages are refused, or the connection of Sparkplug is still away.
    if uplink.state == .connected, uplink.lastError == nil { environment.log.recovered("uplink", "delivers again") }
  }

  func report(_ now: Int64, skipped: UInt64) {
    let storage = environment.storage.status
    environment.delivery?.committed = storage.committed
    let delivery = environment.delivery?.status
    if let delivery { noteLink(delivery) }
    let late = tickIndex % 10 == 1 ? lateness.percentiles : nil
    let uncommitted = pending.ticks.count + storage.pendingTicks
    environment.context.statistics.update {
      $0.ticks += 1
      $0.skippedTicks += skipped
      if let late { ($0.latenessP50Milliseconds, $0.latenessP99Milliseconds, $0.latenessMaxMilliseconds) = late }
      $0.bufferBytes = storage.bytes
      $0.uncommittedTicks = UInt64(uncommitted)
      $0.queuedTicks = delivery?.owedTicks ?? 0
      $0.deliveredTicks = delivery?.deliveredTicks ?? 0
      $0.lostTicks = delivery?.lostTicks ?? 0
      if $0.sensors.count == lanes.count {
        // To copy all of them at each tick was most of what an absent sensor cost.
        for index in untold { $0.sensors[index] = lanes[index].figures }
      } else {
        $0.sensors = lanes.map(\.figures)
      }
    }
    untold.removeAll(keepingCapacity: true)
  }
}
