/// What compacting a buffer did.
public struct Compaction: Hashable, Sendable {
  /// Ticks that went from rows into blocks.
  public var sealedTicks = 0
  /// Tick rows that could not be decoded; they are gone.
  public var damagedTicks = 0
  /// Blocks of ticks that went into larger ones.
  public var mergedBlocks = 0
  /// Bytes of the database and its log before.
  public var bytesBefore = 0
  /// The same after.
  public var bytesAfter = 0
  /// Why the file could not be written anew from one end to the other: only its free pages were returned then. Nil when it was.
  public var rewriteProblem: BufferError?
}

extension BufferWriter {
  /// Seals what fills a block, merges blocks, writes the file anew without holes and empties the log. Takes long and up to as much space
  /// again: only where no agent runs.
  public func compact() throws(BufferError) -> Compaction {
    var done = Compaction()
    done.bytesBefore = fileBytes
    while true {
      let sealings = try seal()
      if sealings.isEmpty { break }
      done.sealedTicks += sealings.reduce(0) { $0 + $1.ticks }
      done.damagedTicks += sealings.reduce(0) { $0 + $1.damaged }
    }
    try database.transaction { () throws(BufferError) in try mergeBlocks() }
    done.mergedBlocks = try compactBlocks()
    try database.execute("PRAGMA incremental_vacuum", operation: "return space of")
    do throws(BufferError) {
      // The copy would be made in memory otherwise.
      try database.execute("PRAGMA temp_store = FILE; VACUUM", operation: "rewrite")
    } catch  where error.kind == .full {
      done.rewriteProblem = error
    }
    try checkpoint()
    done.bytesAfter = fileBytes
    return done
  }

  private var fileBytes: Int { ["", "-wal"].reduce(0) { $0 + (FileHeader.bytes(path + $1) ?? 0) } }
}
