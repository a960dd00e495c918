import Platform
import Telemetry

/// Which board and which HATs a device has, by the files that describe them.
struct Recognition {
  private(set) var board: Board?
  /// What the board was known by.
  private(set) var boardEvidence = ""
  private(set) var hats: [Finding] = []

  /// A HAT that was found, or may be there.
  struct Finding {
    let hat: Hat
    /// What it was known by.
    let evidence: String
    /// Whether nothing else looks like it.
    let isCertain: Bool
  }

  /// Compares a device with what is known.
  init(_ device: DeviceHardware, boards: [Board], hats: [Hat]) {
    let found = boards.compactMap { board -> (board: Board, match: Match)? in
      board.evidence.compactMap { device.match($0, bus: nil) }.min().map { (board, $0) }
    }
    let best = found.min { $0.match == $1.match ? $0.board.file < $1.board.file : $0.match < $1.match }
    board = best?.board
    boardEvidence = best?.match.text ?? ""
    let bus = board?.i2cBus
    self.hats = hats.compactMap { hat in
      let matches = hat.evidence.compactMap { evidence in
        device.match(evidence, bus: bus).map { (text: $0.text, isCertain: !evidence.isWeak) }
      }
      guard let match = matches.first(where: \.isCertain) ?? matches.first else { return nil }
      return Finding(hat: hat, evidence: match.text, isCertain: match.isCertain)
    }
  }

  /// How well something fits; the smaller the better.
  struct Match: Comparable {
    /// The place of the entry of `compatible` that matched: they run from the particular to the general.
    let place: Int
    /// How many things hold together.
    let count: Int
    /// What matched, for people.
    let text: String

    static func < (left: Match, right: Match) -> Bool { (left.place, -left.count) < (right.place, -right.count) }
    static func == (left: Match, right: Match) -> Bool { left.place == right.place && left.count == right.count }
  }
}

extension DeviceHardware {
  /// How well evidence fits this device, or nil. I2C addresses are looked for on `bus`, on all buses when that is nil.
  func match(_ evidence: Evidence, bus: Int?) -> Recognition.Match? {
    var place = Int.max
    var texts: [String] = []
    // Of several HATs one must have all that is said of a HAT.
    let identity = hats.first { hat in
      evidence.patterns.allSatisfy { subject, globs in
        guard let text = hat.text(subject) else { return true }
        return Glob.any(globs, match: text)
      }
    }
    for (subject, globs) in evidence.patterns {
      let candidates = identity?.text(subject).map { [$0] } ?? said(of: subject, bus: bus)
      guard let index = candidates.firstIndex(where: { Glob.any(globs, match: $0) }) else { return nil }
      if subject == .compatible { place = index }
      texts.append("\(subject.title) \(candidates[index])")
    }
    return Recognition.Match(place: place, count: texts.count, text: texts.joined(separator: ", "))
  }

  /// What the device says of a subject; what it does not say matches no pattern, not even `*`.
  private func said(of subject: Evidence.Subject, bus: Int?) -> [String] {
    let texts: [String] =
      switch subject {
      case .compatible: compatible
      case .model: [model]
      case .dmiVendor: [dmiVendor]
      case .dmiProduct: [dmiProduct]
      case .pci: pci.map(\.id)
      case .hatVendor, .hatProduct, .hatProductID, .hatUUID: []
      case .i2c:
        i2c.filter { bus == nil || $0.bus == bus }.flatMap { adapter in
          (adapter.clients.map(\.address) + (answers[adapter.bus] ?? [])).map(Self.text(address:))
        }
      }
    return texts.filter { !$0.isEmpty }
  }

  /// As i2c-tools write it: `0x36`.
  static func text(address: UInt8) -> String { "0x" + (address < 16 ? "0" : "") + String(address, radix: 16) }
}

extension DeviceHardware.HatIdentity {
  /// What it says of a subject; nil for subjects that are not of HATs.
  func text(_ subject: Evidence.Subject) -> String? {
    switch subject {
    case .hatVendor: vendor
    case .hatProduct: product
    case .hatProductID: productID
    case .hatUUID: uuid
    default: nil
    }
  }
}

extension Evidence.Subject {
  /// The subject in a sentence.
  var title: String {
    switch self {
    case .compatible: "compatible"
    case .model: "model"
    case .dmiVendor: "vendor"
    case .dmiProduct: "product"
    case .pci: "PCI"
    case .hatVendor: "HAT vendor"
    case .hatProduct: "HAT product"
    case .hatProductID: "HAT product id"
    case .hatUUID: "HAT uuid"
    case .i2c: "I2C address"
    }
  }
}
