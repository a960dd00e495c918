/// Status messages in the order in which they came about.
struct CommandStatusQueue {
  private var waiting: [CommandStatus] = []
  private var serial: UInt64 = 0
  /// The newest retained status of each id.
  private var newest: [String: UInt64] = [:]

  mutating func put(
    _ id: String, _ state: CommandStatus.State, command: String?, wall: Int64, issued: Int64?, reason: String? = nil,
    result: [UInt8]? = nil, isRetained: Bool = true
  ) {
    serial += 1
    if isRetained { newest[id] = serial }
    waiting.append(
      CommandStatus(
        id: id, serial: serial, state: state, command: command, wall: wall, issued: issued, reason: reason, result: result,
        isRetained: isRetained))
    bound()
  }

  mutating func take() -> CommandStatus? { waiting.isEmpty ? nil : waiting.removeFirst() }

  /// One did not arrive: it is sent again, unless a later one of its id says more.
  mutating func lose(_ status: CommandStatus) {
    guard status.isRetained, newest[status.id] == status.serial else { return }
    let place = waiting.firstIndex { $0.serial > status.serial } ?? waiting.count
    waiting.insert(status, at: place)
    bound()
  }

  /// Of what is too much, what was overtaken goes first.
  private mutating func bound() {
    while waiting.count > UplinkLimits.Commands.statuses {
      let overtaken = waiting.firstIndex { newest[$0.id] != $0.serial }
      waiting.remove(at: overtaken ?? 0)
    }
    guard newest.count > 2 * UplinkLimits.Commands.remembered else { return }
    let oldest = newest.values.sorted()[UplinkLimits.Commands.remembered]
    newest = newest.filter { $0.value > oldest }
  }
}
