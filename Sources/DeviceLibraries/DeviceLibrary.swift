public import Telemetry

/// A vendor's library, loaded into this process. It may hang or crash: only a process that has nothing else to do loads one.
public protocol DeviceLibrary {
  /// What the agent calls it.
  static var name: String { get }
  /// The file that the loader looks for.
  static var file: String { get }

  /// Loads and starts the library in `path`.
  init(path: String) throws(DeviceLibraryError)

  /// Reads all devices once.
  mutating func sample() -> LibraryAnswer
}

/// Why a library is of no use.
public enum DeviceLibraryError: Error, Hashable, Sendable {
  /// There is no library, driver or device.
  case absent(String)
  /// There is one, and it does not work.
  case failed(String)

  /// As the answer to a sample.
  public var answer: LibraryAnswer {
    var answer = LibraryAnswer()
    switch self {
    case .absent(let what): answer.outcome = .absent(what)
    case .failed(let what): answer.outcome = .failed(what)
    }
    return answer
  }

  /// The loader's text for a library that could not be loaded. It begins with the name of what was not found: that may also be another
  /// library which the wanted one needs.
  init(loading path: String, _ text: String) {
    self = text.hasPrefix(path + ": cannot open shared object file: No such file") ? .absent(text) : .failed(text)
  }
}

/// The libraries there are.
public enum DeviceLibraryCatalogue {
  /// In the order of their names.
  public static var all: [any DeviceLibrary.Type] { [HailoLibrary.self, NVMLLibrary.self] }

  /// The library with a name, or nil.
  public static func type(named name: String) -> (any DeviceLibrary.Type)? { all.first { $0.name == name } }
}

/// The bounds of what a library may say.
enum DeviceLibraryLimits {
  /// Devices of one library.
  static let devices = 32
  /// Processes of one device that are asked for.
  static let processes = 4_096
  /// Names of processes of one device that are told; the rest is one sum.
  static let processNames = 64
  static let fans = 8
}

/// The text in a buffer that C filled.
func text(_ buffer: [CChar]) -> String {
  String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
