import Platform
import Profile
import Telemetry

/// The boards and HATs that are described in files.
struct HardwareCatalogue {
  private(set) var boards: [Board] = []
  private(set) var hats: [Hat] = []
  /// What is wrong with files; these are left out.
  private(set) var problems: [ProfileProblem] = []

  /// What a file describes: the folder that it lies in.
  enum Kind: String, CaseIterable {
    case boards, hats
  }

  init() {}

  /// Reads all files of the folders; a file of an earlier folder stands for one of the same name in a later one.
  init(folders: HardwareFolders, catalogue: [SensorKind]) {
    for kind in Kind.allCases {
      for (_, path) in folders.files(kind.rawValue).sorted(by: { $0.key < $1.key }) {
        add(path, as: kind, catalogue: catalogue)
      }
    }
  }

  /// Reads one more file.
  mutating func add(_ path: String, as kind: Kind, catalogue: [SensorKind]) {
    let file = Host().file(path, limit: HardwareLimits.fileBytes)
    let text: [UInt8]
    do throws(SensorError) {
      text = try file.read { (scanner) throws(SensorError) in
        var bytes: [UInt8] = []
        while let byte = scanner.next {
          bytes.append(byte)
          _ = scanner.skip(byte: byte)
        }
        return bytes
      }
    } catch {
      problems.append(
        ProfileProblem(
          file: path, line: 0, column: 0, what: "it cannot be read", why: error.description, remedy: "check the file"))
      return
    }
    switch kind {
    case .boards:
      let (board, problems) = HardwareDecoder.board(path: path, text: text, catalogue: catalogue)
      self.problems += problems
      if let board { boards.append(board) }
    case .hats:
      let (hat, problems) = HardwareDecoder.hat(path: path, text: text, catalogue: catalogue)
      self.problems += problems
      if let hat { hats.append(hat) }
    }
  }
}
