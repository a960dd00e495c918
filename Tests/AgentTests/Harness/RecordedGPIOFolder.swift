import Foundation

/// The recorded GPIO lines of a root, and what was set on them.
struct RecordedGPIOFolder {
  let folder: TemporaryFolder

  /// One chip with named lines, by their offsets.
  init(in folder: TemporaryFolder, lines: [Int: String] = [12: "GPIO12", 16: "GPIO16", 22: "GPIO22", 23: "GPIO23"]) throws {
    self.folder = folder
    try folder.write(".host/gpio/chips", "gpiochip0 54 pinctrl-rp1\n")
    try write(lines: lines)
    try folder.write(".host/gpio/outputs", "")
  }

  /// Others hold the given ones.
  func write(lines: [Int: String], held: Set<Int> = []) throws {
    let rows = lines.sorted { $0.key < $1.key }.map {
      "gpiochip0 \($0.key) 0 \($0.value)\(held.contains($0.key) ? " gpioset" : "")\n"
    }
    try folder.write(".host/gpio/lines", rows.joined())
  }

  /// All levels of the wire that were set on a line, in order.
  func levels(_ offset: Int) -> [Int] {
    folder.read(".host/gpio/outputs").split(separator: "\n").compactMap { row in
      let words = row.split(separator: " ")
      return words.count == 3 && words[1] == "\(offset)" ? Int(words[2]) : nil
    }
  }

  func level(_ offset: Int) -> Int? { levels(offset).last }
}
