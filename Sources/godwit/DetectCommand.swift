import ArgumentParser
import Platform
import Telemetry

/// `godwit detect`: a profile for this machine.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Looks at this machine, or a recorded tree, and prints a profile for it.")

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Flag(help: "Prints what was found as one JSON object instead.")
  var json = false

  func validate() throws {
    guard Host().exists(root) else { throw ValidationError("--root \(root): no such directory") }
  }

  func run() {
    let host = Host(root: root)
    var sampling = DeviceSampling(host: host)
    sampling.sampleTwice(intervalMilliseconds: 100)
    let found = Detection(parts: sampling.parts, model: Detection.model(host))
    if json { Output.write(found.json()) } else { Output.write(found.profile()) }
  }
}
