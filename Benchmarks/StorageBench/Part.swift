import Buffer
import Glibc

/// One part of the comparison, in a process of its own.
enum Part {
  static func keep(_ arguments: [String]) throws {
    guard arguments.count == 6, let ticks = Int(arguments[2]), let tickSeconds = Int(arguments[3]),
      let commit = Int(arguments[4]), let block = Int(arguments[5])
    else { exit(2) }
    switch arguments[0] {
    case "sealed":
      let feed = SealedDesign.Feed(ticks: ticks, tickSeconds: tickSeconds, ticksPerCommit: commit, ticksPerBlock: block)
      print(try SealedDesign.keep(feed, at: arguments[1]).line)
    case "naive": print(NaiveDesign.keep(ticks, at: arguments[1]).line)
    default: NaiveDesign.keepOneSeries(ticks, at: arguments[1])
    }
  }

  static func query(_ arguments: [String]) throws {
    guard arguments.count == 6, let series = Int(arguments[2]), let from = Int64(arguments[3]), let until = Int64(arguments[4]),
      let tier = Int(arguments[5]).flatMap(Tier.init)
    else { exit(2) }
    let question = Query(path: arguments[1], series: series, range: from...until, tier: tier)
    print(arguments[0] == "sealed" ? try question.askSealed() : question.askNaive())
  }

  static func pace(_ arguments: [String]) {
    guard arguments.count == 2, let seconds = Int(arguments[0]) else { exit(2) }
    print(NaiveDesign.keep(seconds, at: arguments[1], inRealTime: true).samples)
  }

  /// Runs this program again and gives the numbers of its first line; none when it failed.
  static func run(_ words: [String]) -> [Double] {
    let quoted = ([CommandLine.arguments[0]] + words).map { word in
      "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
    guard let pipe = popen(quoted.joined(separator: " "), "r") else { return [] }
    var line = [CChar](repeating: 0, count: 256)
    let found = fgets(&line, 256, pipe) != nil
    guard pclose(pipe) == 0, found else { return [] }
    return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
  }
}
