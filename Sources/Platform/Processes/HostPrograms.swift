import Telemetry

extension LinuxCalls {
  /// By `Subprocess`.
  public func run(
    _ path: String, _ arguments: [String], timeoutMilliseconds: Int, outputBytes: Int
  ) throws(SubprocessFailure) -> Subprocess.Outcome {
    try Subprocess.run(path, arguments, timeoutMilliseconds: timeoutMilliseconds, outputBytes: outputBytes)
  }
}

extension RecordedCalls {
  /// From `programs/<the program's name>/`: a file named as its arguments, joined by blanks, with `/` written `\057` (as mountinfo
  /// writes bytes), or `no arguments`. It holds what the program writes to its standard output. Beside it there may be
  ///
  /// ```
  /// <arguments>.errors   what it writes to its standard error
  /// <arguments>.end      how it ends, unless with status 0:  exited N | signalled N | timed-out
  /// ```
  ///
  /// What is not recorded is a program that is not there.
  public func run(
    _ path: String, _ arguments: [String], timeoutMilliseconds: Int, outputBytes: Int
  ) throws(SubprocessFailure) -> Subprocess.Outcome {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let joined = arguments.joined(separator: " ").split(separator: "/", omittingEmptySubsequences: false)
      .joined(separator: "\\057")
    let place = "/programs/\(name)/\(joined.isEmpty ? "no arguments" : joined)"
    guard let output = bytes(place) else { throw .absent(path) }
    let errors = bytes("\(place).errors") ?? []
    return Subprocess.Outcome(
      end: end("\(place).end"), output: Array(output.prefix(outputBytes)), errors: Array(errors.prefix(outputBytes)),
      isCut: output.count > outputBytes || errors.count > outputBytes)
  }

  private func bytes(_ place: String) -> [UInt8]? {
    try? recorded(place).read { (text) throws(SensorError) in
      var bytes: [UInt8] = []
      while let byte = text.next, text.skip(byte: byte) { bytes.append(byte) }
      return bytes
    }
  }

  private func end(_ place: String) -> Subprocess.End {
    let end = try? recorded(place).read { (text) throws(SensorError) -> Subprocess.End in
      switch text.word() {
      case "exited": .exited(Int32(clamping: text.signed() ?? 0))
      case "signalled": .signalled(Int32(clamping: text.signed() ?? 0))
      default: .timedOut
      }
    }
    return end ?? .exited(0)
  }
}
