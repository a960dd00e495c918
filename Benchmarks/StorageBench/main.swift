import Buffer
import Glibc

// StorageBench [seconds] [folder] [ticks per block]: what the buffer costs on a realistic day of 130 series at 1 Hz, beside the naive
// design. Run it on the file system in question; on a memory file system CPU is measured best.
// StorageBench packed [seconds] [folder]: what delivering that day as `packed` costs.

let arguments = CommandLine.arguments
if arguments.count == 6, arguments[1] == "query", let span = Int64(arguments[4]), let number = Int(arguments[5]),
  let tier = Tier(rawValue: number)
{
  try Query.run(arguments[2], series: Int(arguments[3]) ?? 0, span: span, tier: tier)
  exit(0)
}
if arguments.count == 5, arguments[1] == "drain" {
  try PackedDelivery.drain(arguments[2], UInt64(arguments[3]) ?? 0, mostBytes: Int(arguments[4]) ?? 0)
  exit(0)
}

if arguments.count > 1, arguments[1] == "packed" {
  let seconds = arguments.count > 2 ? Int(arguments[2]) ?? 86_400 : 86_400
  try PackedDelivery.run(seconds: seconds, folder: arguments.count > 3 ? arguments[3] : "/tmp")
  exit(0)
}

let seconds = arguments.count > 1 ? Int(arguments[1]) ?? 86_400 : 86_400
let folder = arguments.count > 2 ? arguments[2] : "/tmp"
let ticksPerBlock = arguments.count > 3 ? Int(arguments[3]) ?? BufferLimits.ticksPerBlock : BufferLimits.ticksPerBlock
let path = folder + "/godwit-storage-bench.db"
let naivePath = folder + "/godwit-storage-bench-naive.db"

func forget(_ path: String) { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }

func bytes(_ path: String) -> Double {
  var status = stat()
  return stat(path, &status) == 0 ? Double(status.st_size) : 0
}

func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = pow(10, Double(digits))
  let whole = Int((abs(value) * scale).rounded())
  let fraction = String(whole % Int(scale))
  return (value < 0 ? "-" : "") + "\(whole / Int(scale))"
    + (digits > 0 ? "." + String(repeating: "0", count: digits - fraction.count) + fraction : "")
}

func row(_ name: String, _ value: Double, _ digits: Int, _ unit: String, _ goal: String = "") {
  let left = name + String(repeating: " ", count: max(1, 52 - name.count))
  let number = fixed(value, digits)
  let right = String(repeating: " ", count: max(0, 10 - number.count)) + number + " " + unit
  print(left + right + (goal.isEmpty ? "" : "   goal " + goal))
}

/// The median of nine runs of a query, each in a new process.
func query(_ name: String, _ span: Int64, _ tier: Tier, _ goal: String) {
  var times: [Double] = []
  var count = ""
  for round in 0..<9 {
    guard let pipe = popen("\(arguments[0]) query \(path) \(round * 14) \(span) \(tier.rawValue)", "r") else { return }
    var line = [CChar](repeating: 0, count: 256)
    let found = fgets(&line, 256, pipe) != nil
    pclose(pipe)
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    guard found, words.count == 3, let time = Double(words[0]) else { continue }
    times.append(time)
    count = String(words[1])
  }
  guard !times.isEmpty else { return }
  row(name + ", " + count + " points", times.sorted()[times.count / 2], 2, "ms", goal)
}

forget(path)
forget(naivePath)
print("130 series at 1 Hz, \(seconds) s, \(ticksPerBlock) ticks a block")
let sealed = try SealedDesign.keep(seconds, at: path, ticksPerBlock: ticksPerBlock)
let samples = Double(sealed.samples)
do {
  let reader = try BufferReader(path: path)
  for size in try reader.tierSizes() {
    let held = Double(max(size.ticks, 1) * 130)
    row(
      "\(size.tier) tier, bytes per sample (\(size.blocks) blocks)", Double(size.bytes) / held, 4, "B",
      size.tier == .raw ? "≤ 0.9" : "")
  }
}
row("file, all tiers and tables", bytes(path) / 1_048_576, 2, "MiB")
row("handed to the file system per sample", Double(sealed.writtenBytes) / samples, 2, "B", "≤ 12")
row("CPU per sample", sealed.cpuSeconds / samples * 1e6, 3, "µs", "≤ 0.15")
row("writer's memory above idle, peak", Double(sealed.peakKilobytes - sealed.idleKilobytes) / 1_024, 2, "MB", "≤ 2")
query("one series, 24 h raw", 86_400_000, .raw, "≤ 5")
query("one series, 24 h by minute", 86_400_000, .minute, "")
if seconds >= 30 * 86_400 { query("one series, 30 days by hour", 30 * 86_400_000, .hour, "≤ 3") }

let naive = NaiveDesign.keep(min(seconds, 7_200), at: naivePath)
let few = Double(naive.samples)
print("naive: a row a sample, a commit a tick, \(naive.samples / 130) s")
row("file, bytes per sample", bytes(naivePath) / few, 1, "B")
row("handed to the file system per sample", Double(naive.writtenBytes) / few, 0, "B")
row("CPU per sample", naive.cpuSeconds / few * 1e6, 2, "µs")
row(
  "naive / sealed, bytes handed to the file system",
  Double(naive.writtenBytes) / few / (Double(sealed.writtenBytes) / samples), 0, "", "≥ 400")
