import ArgumentParser
import Profile
import Telemetry

/// Which buffer: of the commands that ask no agent.
struct BufferOptions: ParsableArguments {
  @Option(help: "The profile that names the buffer (\(ProfileOption.usual)).")
  var profile: String?

  @Option(help: "The buffer file: of this device, or from the card of another.")
  var buffer: String?

  func validate() throws {
    if buffer == "" { throw ValidationError("--buffer names no file") }
    if profile == "" { throw ValidationError("--profile names no file") }
  }

  /// The file, which is there and may be read.
  func path() throws -> String {
    let path = try buffer ?? ProfileFile.load(profile ?? ProfileOption.usual).buffer.path
    try BufferPlace.check(path)
    return path
  }
}

/// `--since`, `--until` and `--step` of several commands.
enum MomentOption {
  /// That both are times, and the second is not before the first as far as that can be told without the buffer.
  static func check(since: String?, until: String?) throws {
    let from = try moment(since, "--since")
    let to = try moment(until, "--until")
    guard let from, let to, let since, let until, from.isAfter(to) else { return }
    throw ValidationError("--since \(since) is later than --until \(until): nothing can lie between them")
  }

  private static func moment(_ text: String?, _ name: String) throws -> Moment? {
    guard let text else { return nil }
    if let moment = Moment(text) { return moment }
    throw ValidationError("\(name) '\(text)' is neither a duration as 10m, 24h or 7d nor a time as 2026-11-20T22:40 (UTC)")
  }

  static func checkStep(_ text: String?) throws {
    guard let text else { return }
    guard let milliseconds = Quantity.milliseconds(text), (100...31_536_000_000).contains(milliseconds) else {
      throw ValidationError("--step '\(text)' is no duration from 100ms to 365d")
    }
  }
}
