import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The facts of this machine beside those of the programs that people ask.
@Suite struct IndependentReaderTests {
  /// What the facts say, and what a program answers; nil, with a word, where it is not there.
  private static func answer(_ program: String, _ arguments: [String]) -> Data? {
    do {
      return Data(try Host().program(program, arguments, timeoutMilliseconds: 20_000).output)
    } catch {
      print("skipped: \(program): \(error)")
      return nil
    }
  }

  private static func facts() throws -> [String: Any] {
    let privacy = FactPrivacy(.keep, keyFile: nil, told: ["n"], host: Host())
    let json = SystemFacts.json(Host(), privacy: privacy, packages: PackageHistory())
    return try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
  }

  @Test func agreesWithLscpu() throws {
    guard let answer = Self.answer("lscpu", ["-J"]) else { return }
    struct Row: Decodable { let field: String; let data: String? }
    struct Table: Decodable { let lscpu: [Row] }
    let rows = try JSONDecoder().decode(Table.self, from: answer).lscpu
    func theirs(_ field: String) -> String? { rows.first { $0.field == field }?.data }
    let cpu = try #require(try Self.facts()["cpu"] as? [String: Any])
    if let model = theirs("Model name:"), model != "-" {
      // lscpu leaves the kinds of a mixed processor apart, and knows more makers than we do.
      #expect((cpu["model"] as? String)?.contains(model) == true || (cpu["model"] as? String)?.hasPrefix("0x") == true)
    }
    if let flags = theirs("Flags:") {
      let ours = try #require(cpu["features"] as? String)
      #expect(flags.hasPrefix(ours) && (flags == ours || ours.utf8.count > MachineLimits.featureBytes - 64))
    }
    let threads = try #require(cpu["threads"] as? Int)
    #expect(theirs("On-line CPU(s) list:") != nil && threads > 0)
    if let packages = theirs("Socket(s):").flatMap({ Int($0) }), let cores = theirs("Core(s) per socket:").flatMap({ Int($0) }),
      let perCore = theirs("Thread(s) per core:").flatMap({ Int($0) })
    {
      #expect(cpu["packages"] as? Int == packages)
      #expect(cpu["cores"] as? Int == packages * cores)
      #expect(threads == packages * cores * perCore)
    }
  }

  @Test func agreesWithLsblk() throws {
    guard let answer = Self.answer("lsblk", ["-J", "-b", "-d", "-o", "NAME,SIZE,TYPE"]) else { return }
    struct Row: Decodable { let name: String; let size: Int; let type: String }
    struct Table: Decodable { let blockdevices: [Row] }
    let rows = try JSONDecoder().decode(Table.self, from: answer).blockdevices
    let disks = try #require(try Self.facts()["disks"] as? [[String: Any]])
    // lsblk calls zram a disk, too.
    let theirs = rows.filter { $0.type == "disk" && !$0.name.hasPrefix("zram") && $0.size > 0 }.map { "\($0.name) \($0.size)" }
    let ours = disks.compactMap { disk in
      (disk["bytes"] as? Int).flatMap { $0 > 0 ? "\(disk["name"] ?? "") \($0)" : nil }
    }
    #expect(ours.sorted() == theirs.sorted())
  }

  @Test func agreesWithIP() throws {
    guard let answer = Self.answer("ip", ["-j", "addr"]) else { return }
    let links = try #require(JSONSerialization.jsonObject(with: answer) as? [[String: Any]])
    let ours = try #require(try Self.facts()["interfaces"] as? [[String: Any]])
    for link in links {
      let name = try #require(link["ifname"] as? String)
      let addresses = (link["addr_info"] as? [[String: Any]] ?? []).compactMap { address -> String? in
        guard let local = address["local"] as? String, let length = address["prefixlen"] as? Int,
          !["link", "host"].contains(address["scope"] as? String), address["temporary"] == nil, address["deprecated"] == nil
        else { return nil }
        return "\(local)/\(length)"
      }
      let own = ours.first { $0["name"] as? String == name }
      #expect((own?["addresses"] as? [String] ?? []).sorted() == addresses.sorted(), "\(name)")
      if let own { #expect(own["mac"] as? String == link["address"] as? String, "\(name)") }
      if own == nil { #expect(addresses.isEmpty || name == "lo", "\(name) is not told") }
    }
    #expect(ours.contains { $0["mac"] != nil } || !links.contains { $0["link_type"] as? String == "ether" })
  }

  @Test func agreesWithSystemdDetectVirt() throws {
    // It ends with 1 where it says `none`.
    func word(_ option: String) -> String? {
      do {
        let outcome = try Subprocess.run("/usr/bin/systemd-detect-virt", [option], timeoutMilliseconds: 10_000, outputBytes: 256)
        return String(decoding: outcome.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      } catch {
        print("skipped: systemd-detect-virt: \(error)")
        return nil
      }
    }
    let ours = Virtualization(Host())
    if let machine = word("--vm") { #expect(ours.machine == machine) }
    // Without an init of systemd it looks at files that its own tests hide; the word for no container is the same.
    if let container = word("--container") { #expect(ours.container == container) }
  }

  @Test func agreesWithDpkgQuery() throws {
    guard let answer = Self.answer("dpkg-query", ["-W", "-f", "${db:Status-Status}\n"]) else { return }
    let installed = String(decoding: answer, as: UTF8.self).split(separator: "\n").count { $0 == "installed" }
    let packages = try #require(try Self.facts()["packages"] as? [String: Any])
    #expect(packages["installed"] as? Int == installed)
    #expect(packages["manager"] as? String == "dpkg")
  }
}
