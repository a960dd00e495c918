import ArgumentParser
import Buffer
import Glibc
import Platform
import Telemetry

/// `godwit buffer`: the file itself.
struct BufferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "buffer", abstract: "Describes, checks or compacts the buffer file.",
    subcommands: [BufferInfoCommand.self, BufferVerifyCommand.self, BufferCompactCommand.self])
}

/// `godwit buffer info`.
struct BufferInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Shows what the buffer holds, since when, and what that takes.")

  @OptionGroup var options: BufferOptions

  @Flag(help: "Prints a JSON object.")
  var json = false

  func run() throws {
    let path = try options.path()
    let reader = try BufferPlace.open(path)
    let found = try Failure.rethrow { try reader.inventory() }
    if json {
      Output.write(InventoryText.json(found, path: path) + [UInt8(ascii: "\n")])
    } else {
      Output.write(InventoryText.lines(found, path: path).map { $0 + "\n" }.joined())
      if reader.isWithoutLog { Output.error("godwit: the write-ahead log could not be read: the last minutes may be lacking") }
    }
  }
}

/// `godwit buffer verify`.
struct BufferVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Reads all of the buffer and checks it. Exit status 1 when something is damaged.")

  @OptionGroup var options: BufferOptions

  func run() throws {
    let path = try options.path()
    let found: Verification
    do throws(BufferError) {
      found = try BufferReader(path: path).verify()
    } catch  where error.kind == .corrupt {
      throw Failure("\(error)\nNothing of it can be read in order. An agent sets such a file aside and begins a new one.")
    } catch {
      throw Failure("\(error)")
    }
    for finding in found.findings { Output.line("\(finding.what); lost: \(finding.cost)") }
    if found.count > found.findings.count { Output.line("and \(found.count - found.findings.count) more") }
    let read =
      "\(counted(found.blocks, "block")) with \(counted(found.columns, "column")) and \(counted(found.ticks, "unsealed tick"))"
    guard found.isGood else {
      throw Failure(
        "\(path): \(found.count) \(found.count == 1 ? "thing is" : "things are") wrong in \(read); all else is readable")
    }
    Output.line("\(path): good: \(read)")
  }
}

/// `godwit buffer compact`.
struct BufferCompactCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Seals, merges and rewrites the buffer so that it takes least. Only while no agent runs.")

  @OptionGroup var options: BufferOptions

  func run() throws {
    let path = try options.path()
    // Read first: a file that is no buffer must not get a lock beside it.
    let node = try Failure.rethrow { try BufferReader(path: path).state().node }
    let lock = try Self.lock(path)
    let done = try Failure.rethrow {
      try BufferWriter(
        path: path, node: node ?? "unknown",
        policy: RetentionPolicy(retainMilliseconds: .max, maximumBytes: RetentionPolicy.smallestBytes * 64)
      ).compact()
    }
    withExtendedLifetime(lock) {}
    let sealed = done.sealedTicks == 0 ? "" : "; \(counted(done.sealedTicks, "tick")) sealed"
    let merged = done.mergedBlocks == 0 ? "" : "; \(counted(done.mergedBlocks, "block")) merged"
    Output.line("\(path): \(Quantity.size(done.bytesBefore)) before, \(Quantity.size(done.bytesAfter)) after\(sealed)\(merged)")
    if done.damagedTicks > 0 { Output.error("godwit: dropped: \(counted(done.damagedTicks, "damaged tick"))") }
    if let problem = done.rewriteProblem { Output.error("godwit: only free pages were returned: \(problem)") }
  }

  /// The agent's own lock: whoever holds it may write.
  private static func lock(_ path: String) throws -> FileLock {
    do throws(FileLock.Failure) {
      return try FileLock(path: path + ".lock", ownedAs: path)
    } catch {
      switch error {
      case .held(let process):
        let who = process.map { " (process \($0))" } ?? ""
        throw Failure("\(path): an agent\(who) uses it and keeps it in order by itself; stop that first: systemctl stop godwitd")
      case .io(let code):
        throw Failure(
          "cannot make \(path).lock: \(String(cString: strerror(code))); compacting writes beside the buffer: use sudo, or a copy of it"
        )
      }
    }
  }
}
