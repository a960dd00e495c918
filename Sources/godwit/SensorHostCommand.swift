import ArgumentParser
import DeviceLibraries
import Glibc
import Platform
import Telemetry

/// `godwit sensor-host`: calls a vendor's device library on behalf of the agent, which starts it and talks with it over its standard input. A
/// library that hangs or crashes takes this process along, and nothing else.
struct SensorHostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sensor-host", abstract: "Calls a device library for the agent; with --once, for people.",
    shouldDisplay: false)

  private static let names = DeviceLibraryCatalogue.all.map { $0.name }.joined(separator: ", ")

  @Argument(help: "The library: \(names).")
  var name: String

  @Option(help: "The library's file; by default the loader finds it by its name.")
  var library: String?

  @Flag(help: "Prints what the library says as one JSON object, and ends.")
  var once = false

  func validate() throws {
    guard DeviceLibraryCatalogue.type(named: name) != nil else {
      throw ValidationError("there is no library '\(name)'; there are \(Self.names)")
    }
    guard once || isatty(STDIN_FILENO) == 0 else { throw ValidationError("the agent starts this; say --once") }
  }

  func run() throws {
    guard let type = DeviceLibraryCatalogue.type(named: name) else { return }
    var host = SensorHost(type, path: library ?? type.file)
    guard !once else {
      let answer = host.answer()
      Output.write(SensorHost.json(answer, library: name))
      guard case .read = answer.outcome else { throw ExitCode.failure }
      return
    }
    Confinement.confine()
    host.serve()
  }
}

/// A device library and the conversation about it.
struct SensorHost {
  private let type: any DeviceLibrary.Type
  private let path: String
  private var library: (any DeviceLibrary)?

  /// Loads nothing yet.
  init(_ type: any DeviceLibrary.Type, path: String) {
    (self.type, self.path) = (type, path)
  }

  /// Takes one sample; loads the library first.
  mutating func answer() -> LibraryAnswer {
    do throws(DeviceLibraryError) {
      var library = if let library { library } else { try type.init(path: path) }
      let answer = library.sample()
      self.library = library
      return answer
    } catch {
      return error.answer
    }
  }

  /// Answers each request on the standard input, which is a socket, until the agent hangs up, or the library has become of no use.
  mutating func serve() {
    var pending: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64)
    while true {
      let count = recv(STDIN_FILENO, &piece, piece.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      pending += piece[0..<count]
      guard LibraryAnswer.request.starts(with: pending.prefix(LibraryAnswer.request.count)) else { return }
      guard pending.count >= LibraryAnswer.request.count else { continue }
      pending.removeFirst(LibraryAnswer.request.count)
      let answer = answer()
      guard send(answer.encoded(library: type.name)) else { return }
      guard case .read = answer.outcome else { return }
    }
  }

  private func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = Glibc.send(STDIN_FILENO, Array(bytes[sent...]), bytes.count - sent, Int32(MSG_NOSIGNAL))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// `{"library":…,"values":{…},"problems":[…]}` and a line feed.
  static func json(_ answer: LibraryAnswer, library: String) -> [UInt8] {
    var json = JSONWriter(capacity: 4096)
    json.beginObject()
    json.member("library", library)
    switch answer.outcome {
    case .read: break
    case .absent(let what): json.member("absent", what)
    case .failed(let what): json.member("failed", what)
    }
    json.key("values")
    json.beginObject()
    for entry in answer.entries { json.member(Series.key(name: entry.metric, labels: entry.labels.sorted()), entry.value) }
    json.endObject()
    json.member("problems", answer.problems)
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
