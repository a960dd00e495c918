/// Counts the restarts of a group: main processes, those whose parent is not of the group, that went and were replaced.
struct MainProcesses {
  /// A process; numbers are given anew after a while.
  struct Key: Hashable {
    let id: Int32
    let startTicks: UInt64
  }

  private var mains: Set<Key> = []
  private var members: Set<Key> = []
  /// Those that went and were not replaced yet.
  private var vacancies = 0
  private(set) var restarts = 0

  /// Takes the processes of now, parents by number. Whether a main process went.
  mutating func advance(_ processes: [(key: Key, parent: Int32)]) -> (isLost: Bool, oldest: UInt64?) {
    let ids = Set(processes.map(\.key.id))
    let now = Set(processes.filter { !ids.contains($0.parent) }.map(\.key))
    let current = Set(processes.map(\.key))
    let lost = mains.subtracting(current).count
    // A child whose parent ended becomes a main process without having been started.
    let started = now.subtracting(members).count
    vacancies += lost
    let replaced = min(vacancies, started)
    restarts += replaced
    vacancies -= replaced
    (mains, members) = (now, current)
    return (lost > 0, now.map(\.startTicks).min())
  }
}
