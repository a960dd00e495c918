public import Buffer
public import Platform

/// The uplinks of a node as one: Sparkplug wants a connection of its own, since its will is its death; all other payloads share one.
public final class UplinkGroup: Sendable {
  /// Each with its own connection and thread.
  public let uplinks: [Uplink]

  /// One for each of the settings, of which there is at least one.
  public init(count: Int) { uplinks = (0..<max(count, 1)).map { _ in Uplink() } }

  /// Starts all; false when the kernel gives no thread. Parameters as of `Uplink.start`.
  public func start(
    settings: [UplinkSettings], clock: any Clock, buffer: String, positions: [String: DeliveryPosition], lastCommitted: UInt64?,
    firstOfRun: UInt64, firstEvent: UInt64, remembered: String = ""
  ) -> Bool {
    zip(uplinks, settings).allSatisfy { uplink, settings in
      uplink.start(
        settings: settings, clock: clock, buffer: buffer, positions: positions, lastCommitted: lastCommitted,
        firstOfRun: firstOfRun, firstEvent: firstEvent, remembered: settings.sparkplug == nil ? remembered : "")
    }
  }

  /// What the agent is told of commands, for it to take out: the connection of Sparkplug, which comes last, takes none.
  public var notices: Mailbox<CommandNotice> { uplinks[0].notices }

  /// Hands something to all; false when one of them has no room. Series may then be handed over again.
  public func put(_ input: UplinkInput) -> Bool {
    uplinks.reduce(true) { $1.put(input) && $0 }
  }

  /// Other settings, in the order of the start.
  public func configure(_ settings: [UplinkSettings]) {
    for (uplink, settings) in zip(uplinks, settings) { _ = uplink.put(.settings(settings)) }
  }

  /// The last tick on the disk.
  public var committed: UInt64 {
    get { uplinks[0].committed }
    set { for uplink in uplinks { uplink.committed = newValue } }
  }

  /// That of the first connection, with what is owed and lost of the one that lags most.
  public var status: UplinkStatus {
    let all = statuses
    var status = all[0]
    for other in all.dropFirst() {
      status.positions.merge(other.positions) { first, _ in first }
      status.owedTicks = max(status.owedTicks, other.owedTicks)
      status.lostTicks = max(status.lostTicks, other.lostTicks)
      status.damagedColumns = max(status.damagedColumns, other.damagedColumns)
      status.deliveredTicks = min(status.deliveredTicks, other.deliveredTicks)
      status.sentBytes += other.sentBytes
      status.lastError = status.lastError ?? other.lastError.map { "sparkplug: \($0)" }
    }
    return status
  }

  /// That of each connection.
  public var statuses: [UplinkStatus] { uplinks.map(\.status) }

  /// How positions get to the disk between two commits.
  public func saves(by save: @escaping @Sendable ([String: DeliveryPosition]) -> Bool) {
    for uplink in uplinks { uplink.saves(by: save) }
  }

  /// Marks of the positions on the disk, by sink.
  public func saved(_ marks: [String: UInt64]) {
    for uplink in uplinks { uplink.saved(marks) }
  }

  /// Ends all together: waits at most `milliseconds` in all.
  public func stop(waitMilliseconds: Int) {
    for uplink in uplinks { uplink.stop(waitMilliseconds: 0) }
    var waited = 0
    while !uplinks.allSatisfy(\.hasStopped), waited < waitMilliseconds {
      Thread.sleep(milliseconds: 5)
      waited += 5
    }
  }
}
