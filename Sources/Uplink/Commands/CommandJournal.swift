import Platform
import Telemetry

/// Which commands were taken, so that none runs twice: not when the broker delivers again, keeps one retained, or the agent restarts.
///
/// A command is known by its id and the time at which it was given. Of each id only the newest counts, so a button that always uses the
/// same id takes one place.
struct CommandJournal {
  struct Entry: Hashable {
    let id: String
    let command: String
    let issuedMilliseconds: Int64
    /// Unix milliseconds; nil: never.
    let expiresMilliseconds: Int64?
    /// Whether its outcome was told.
    var isDone: Bool
  }

  /// Oldest first.
  private(set) var entries: [Entry] = []

  /// Reads what `text` wrote. What cannot be read is left out: then expiry alone protects from repeats.
  init(_ text: String = "") {
    let limits = JSONReader.Limits(
      bytes: UplinkLimits.Commands.rememberedBytes, depth: 3, values: UplinkLimits.Commands.remembered * 6 + 8)
    guard !text.isEmpty, case .array(let items)? = try? JSONReader.read(Array(text.utf8), limits: limits) else { return }
    for item in items.suffix(UplinkLimits.Commands.remembered) {
      guard let id = item["id"]?.text, CommandRequest.isID(id), let issued = item["t"]?.whole else { continue }
      entries.append(
        Entry(
          id: id, command: item["command"]?.text ?? "", issuedMilliseconds: issued, expiresMilliseconds: item["expires"]?.whole,
          isDone: item["done"] == .bool(true)))
    }
  }

  /// What a restart has to know: a JSON array.
  var text: String {
    var writer = JSONWriter()
    writer.beginArray()
    for entry in entries {
      writer.beginObject()
      writer.member("id", entry.id)
      writer.member("command", entry.command)
      writer.member("t", entry.issuedMilliseconds)
      if let expires = entry.expiresMilliseconds { writer.member("expires", expires) }
      writer.member("done", entry.isDone)
      writer.endObject()
    }
    writer.endArray()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  func entry(_ id: String) -> Entry? { entries.first { $0.id == id } }

  /// Whether a command was taken before, or a later one with its id.
  func knows(_ request: CommandRequest) -> Bool {
    entry(request.id).map { $0.issuedMilliseconds >= request.issuedMilliseconds } ?? false
  }

  /// Remembers a command in place of earlier ones with its id.
  ///
  /// - Returns: false when there is no room: all that are remembered could still come again.
  mutating func add(_ request: CommandRequest, isDone: Bool, at moment: CommandMoment) -> Bool {
    entries.removeAll { $0.id == request.id }
    if entries.count >= UplinkLimits.Commands.remembered { makeRoom(moment) }
    guard entries.count < UplinkLimits.Commands.remembered else { return false }
    var expires: Int64?
    if case .at(let end) = request.expiry { expires = end }
    entries.append(
      Entry(
        id: request.id, command: request.name.rawValue, issuedMilliseconds: request.issuedMilliseconds,
        expiresMilliseconds: expires, isDone: isDone))
    return true
  }

  mutating func finish(_ id: String) {
    if let index = entries.firstIndex(where: { $0.id == id }) { entries[index].isDone = true }
  }

  /// Those that would be refused by their time go. While the clock is not known to be right, the oldest goes: one that comes again out
  /// of the broker's keeping waits for the clock then.
  private mutating func makeRoom(_ moment: CommandMoment) {
    if moment.isSynced {
      entries.removeAll { $0.isDone && ($0.expiresMilliseconds ?? .max) < moment.wallMilliseconds }
      guard entries.count >= UplinkLimits.Commands.remembered else { return }
      if let index = entries.firstIndex(where: { $0.isDone && $0.expiresMilliseconds == nil }) { entries.remove(at: index) }
    } else if let index = entries.firstIndex(where: \.isDone) {
      entries.remove(at: index)
    }
  }
}

/// The clocks at one moment.
struct CommandMoment {
  /// CLOCK_BOOTTIME.
  var bootMilliseconds: Int64
  /// Unix time.
  var wallMilliseconds: Int64
  /// Whether the wall clock is synchronised.
  var isSynced: Bool
}

extension CommandMoment {
  init(_ clock: any Clock) {
    self.init(
      bootMilliseconds: clock.bootNanoseconds() / 1_000_000, wallMilliseconds: clock.wallMilliseconds(),
      isSynced: clock.isSynchronized())
  }
}
