import Telemetry

/// A bar of eighth blocks.
enum Bar {
  private static let eighths = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]

  /// A share 0…1 as a bar of `width` characters; what lies outside is clamped, NaN is empty.
  static func text(_ share: Double, width: Int) -> String {
    let clamped = share.isNaN ? 0 : min(max(share, 0), 1)
    let steps = Int((clamped * Double(width * 8)).rounded())
    var text = String(repeating: "█", count: steps / 8)
    if steps % 8 > 0 { text += eighths[steps % 8] }
    return text + String(repeating: "░", count: max(width - text.count, 0))
  }

  /// Green, yellow from 75 %, red from 90 %.
  static func colour(_ share: Double) -> Style.Colour {
    share >= 0.9 ? .red : share >= 0.75 ? .yellow : .green
  }
}
