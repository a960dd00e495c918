import Buffer
import Glibc

// StorageBench [seconds] [folder] [ticks per block]: what the buffer costs on a realistic day, beside the naive design.

let arguments = CommandLine.arguments
let seconds = arguments.count > 1 ? Int(arguments[1]) ?? 86_400 : 86_400
let folder = arguments.count > 2 ? arguments[2] : "/tmp"
let ticksPerBlock = arguments.count > 3 ? Int(arguments[3]) ?? BufferLimits.ticksPerBlock : BufferLimits.ticksPerBlock
let path = folder + "/godwit-storage-bench.db"

if arguments.count == 6, arguments[1] == "query", let span = Int64(arguments[4]), let number = Int(arguments[5]),
  let tier = Tier(rawValue: number)
{
  try Query.run(arguments[2], series: Int(arguments[3]) ?? 0, span: span, tier: tier)
  exit(0)
}

func forget(_ path: String) { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }

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
  print(
    left + String(repeating: " ", count: max(0, 10 - number.count)) + number + " " + unit
      + (goal.isEmpty ? "" : "   goal " + goal))
}

forget(path)
let sealed = try SealedDesign.keep(seconds, at: path, ticksPerBlock: ticksPerBlock)
print("130 series, \(seconds) s, \(ticksPerBlock) ticks a block")
let samples = Double(sealed.samples)
let reader = try BufferReader(path: path)
for size in try reader.tierSizes() {
  row("\(size.tier) blocks, bytes per sample taken", Double(size.bytes) / samples, 3, "B", size.tier == .raw ? "≤ 0.9" : "")
  row("  bytes per sample in these \(size.blocks) blocks", Double(size.bytes) / Double(max(size.ticks, 1) * 130), 3, "B")
}
row("file, bytes per sample, all in", Double(Int(lseek(open(path, O_RDONLY), 0, SEEK_END))) / samples, 3, "B")
row("handed to the file system per sample", Double(sealed.writtenBytes) / samples, 2, "B", "≤ 12")
row("CPU per sample", sealed.cpuSeconds / samples * 1e6, 3, "µs", "≤ 0.15")
row("writer's memory above idle, peak", Double(sealed.peakKilobytes - sealed.idleKilobytes) / 1024, 2, "MB", "≤ 2")
