import Glibc

/// Lines of the comparison: measure, value and unit, goal, the naive design's value.
func line(_ name: String, _ value: String, _ unit: String, _ goal: String, _ naive: String) {
  func padded(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(width - text.count, 0)) + text }
  let left = name + String(repeating: " ", count: max(54 - name.count, 1))
  let text = left + padded(value, 9) + " " + (unit + "   ").prefix(3) + padded(goal, 9) + padded(naive, 11)
  let end = text.lastIndex { $0 != " " } ?? text.startIndex
  print(text.isEmpty ? "" : String(text[...end]))
  // A line is seen when it is known, also in a pipe.
  fflush(nil)
}

func row(_ name: String, _ value: Double, _ digits: Int, _ unit: String, _ goal: String = "", naive: Double? = nil) {
  line(name, fixed(value, digits), unit, goal, naive.map { fixed($0, digits) } ?? "")
}

/// A number with so many digits after the point.
private func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = pow(10, Double(digits))
  let whole = Int((abs(value) * scale).rounded())
  let fraction = String(whole % Int(scale))
  return (value < 0 ? "-" : "") + "\(whole / Int(scale))"
    + (digits > 0 ? "." + String(repeating: "0", count: digits - fraction.count) + fraction : "")
}
