import Foundation
import Platform

/// Recorded chips in a folder of their own.
final class RecordedBench: GPIOTests.Bench {
  let gpio: any GPIOChips
  let chip = "gpiochip0"
  let label = "bank"
  private let root: URL
  private var seconds = 0.0
  private var levels: [Int: Bool] = [2: false]

  private var folder: URL { root.appendingPathComponent(".host/gpio") }

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-gpio-\(UUID().uuidString)")
    gpio = Host(root: root.path).calls.gpio
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write("chips", "gpiochip0 8 bank\n")
    try write("outputs", "")
    try writeLines()
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func write(_ file: String, _ text: String) throws {
    try text.write(to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
  }

  private func writeLines() throws {
    try write("lines", "gpiochip0 2 \(levels[2] == true ? 1 : 0) DOOR\ngpiochip0 7 0 - mains-relay\n")
  }

  func drive(_ offset: Int, high: Bool) throws {
    seconds += 1
    levels[offset] = high
    try writeLines()
    let file = folder.appendingPathComponent("events")
    let before = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    try write("events", before + "\(seconds) gpiochip0 \(offset) \(high ? 1 : 0)\n")
  }

  func level(_ offset: Int) throws -> Bool {
    let rows = try String(contentsOf: folder.appendingPathComponent("outputs"), encoding: .utf8).split(separator: "\n")
    return rows.last { $0.hasPrefix("gpiochip0 \(offset) ") }?.hasSuffix(" 1") ?? false
  }
}

/// A chip of the kernel's gpio-sim (Documentation/admin-guide/gpio/gpio-sim.rst), made for one test. Needs root and the module.
final class SimulatedBench: GPIOTests.Bench {
  let gpio: any GPIOChips = Host().calls.gpio
  let chip: String
  let label = "godwit-test"
  private let folder: String
  private let lines: String

  static var isPossible: Bool { FileManager.default.isWritableFile(atPath: "/sys/kernel/config/gpio-sim") && geteuid() == 0 }

  init() throws {
    let folder = "/sys/kernel/config/gpio-sim/godwit-\(UUID().uuidString.prefix(8))"
    let label = label
    self.folder = folder
    let files = FileManager.default
    for path in ["/bank", "/bank/line2", "/bank/line7", "/bank/line7/hog"] {
      try files.createDirectory(atPath: folder + path, withIntermediateDirectories: true)
    }
    func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: folder + path)) }
    try put("8", "/bank/num_lines")
    try put(label, "/bank/label")
    try put("DOOR", "/bank/line2/name")
    try put("mains-relay", "/bank/line7/hog/name")
    try put("output-low", "/bank/line7/hog/direction")
    try put("1", "/live")
    func get(_ path: String) throws -> String {
      try String(contentsOfFile: folder + path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let chip = try get("/bank/chip_name")
    self.chip = chip
    lines = "/sys/devices/platform/\(try get("/dev_name"))/\(chip)/sim_gpio"
  }

  deinit {
    try? Data("0".utf8).write(to: URL(fileURLWithPath: folder + "/live"))
    for path in ["/bank/line7/hog", "/bank/line7", "/bank/line2", "/bank", ""] { rmdir(folder + path) }
  }

  /// The simulator raises its interrupt in the write; the kernel's thread for it queues the edge some time after.
  func drive(_ offset: Int, high: Bool) throws {
    try Data((high ? "pull-up" : "pull-down").utf8).write(to: URL(fileURLWithPath: "\(lines)\(offset)/pull"))
    usleep(20_000)
  }

  func level(_ offset: Int) throws -> Bool {
    try String(contentsOfFile: "\(lines)\(offset)/value", encoding: .utf8).hasPrefix("1")
  }
}
