import Glibc

// StorageBench [seconds] [folder] [ticks per block] [seconds a tick of the 30 days]: what the buffer costs on a realistic day of 130 series
// at 1 Hz, beside the naive design. Run it on the file system in question; on a memory file system CPU is measured best.
//
// Each part runs in a process of its own, so that one's memory and caches are not the other's:
//   StorageBench keep sealed|naive|series …   fills a file and prints what that took
//   StorageBench query sealed|naive …         asks a file and prints how long that took
//   StorageBench drain PORT FOLDER [SECONDS]  delivers the day to a broker, for scripts/bench-drain.sh
//   StorageBench pace SECONDS PATH            the naive design in real time, for scripts/bench-device.sh

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "keep": try Part.keep(Array(arguments.dropFirst()))
case "query": try Part.query(Array(arguments.dropFirst()))
case "drain": try Drain.run(Array(arguments.dropFirst()))
case "drained": try Drain.drain(Array(arguments.dropFirst()))
case "pace": Part.pace(Array(arguments.dropFirst()))
default:
  var comparison = Comparison()
  if arguments.count > 0, let seconds = Int(arguments[0]) { comparison.seconds = seconds }
  if arguments.count > 1 { comparison.folder = arguments[1] }
  if arguments.count > 2, let ticks = Int(arguments[2]) { comparison.ticksPerBlock = ticks }
  if arguments.count > 3, let seconds = Int(arguments[3]) { comparison.monthTickSeconds = seconds }
  try comparison.run()
}
