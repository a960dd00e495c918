public import Telemetry

/// What a program that ended by itself said.
public struct ProgramAnswer: Hashable, Sendable {
  /// Its exit status.
  public let status: Int32
  /// Its standard output.
  public let output: [UInt8]
  /// The first line of its standard error, cut and without control characters; empty when it has no complaint.
  public let complaint: String
}

extension Host {
  /// Where administrators' programs lie; `PATH` is not asked, it may be anybody's.
  private static let programFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  /// Runs a program of the system to its end, by its name alone. Blocks.
  ///
  /// - Throws: `absent` where it is not installed; `device` when it could not be started, took too long, was killed or wrote too much.
  public func program(
    _ name: String, _ arguments: [String], timeoutMilliseconds: Int
  ) throws(SensorError) -> ProgramAnswer {
    for folder in Self.programFolders {
      let outcome: Subprocess.Outcome
      do throws(SubprocessFailure) {
        outcome = try calls.run(
          "\(folder)/\(name)", arguments, timeoutMilliseconds: timeoutMilliseconds,
          outputBytes: PlatformLimits.programOutputBytes)
      } catch {
        if case .absent = error { continue }
        throw .device(name, what: "\(error)")
      }
      switch outcome.end {
      case .timedOut: throw .device(name, what: "it took too long and was killed")
      case .signalled(let signal): throw .device(name, what: "it was ended by signal \(signal)")
      case .exited(let status):
        guard !outcome.isCut else {
          throw .device(name, what: "it wrote more than \(PlatformLimits.programOutputBytes) bytes")
        }
        return ProgramAnswer(status: status, output: outcome.output, complaint: outcome.complaint)
      }
    }
    throw .absent(name)
  }
}
