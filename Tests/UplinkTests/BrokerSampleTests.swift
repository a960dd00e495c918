import Foundation
import Testing

@testable import Uplink

/// The sample under `etc/mosquitto/`, as it stands but for paths and ports, with a real mosquitto and the certificates of its README.
@Suite struct BrokerSampleTests {
  /// A mosquitto with the sample, and two nodes' certificates.
  private final class SampleBroker {
    let folder: TemporaryFolder
    let nodePort: UInt16
    let peoplePort: UInt16
    private var child: ChildProcess?

    init() throws {
      folder = try TemporaryFolder()
      (nodePort, peoplePort) = (try freeLoopbackPort(), try freeLoopbackPort())
      let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../etc/mosquitto")
      let read = { (name: String) in try String(contentsOf: sample.appendingPathComponent(name), encoding: .utf8) }
      try makeCertificates(readme: try read("README.md"))
      try folder.write("godwit.acl", try read("godwit.acl"))
      try makePasswords()
      var text = try read("godwit.conf")
      for (there, here) in [
        ("/etc/mosquitto/certs/", folder.path + "/"), ("/etc/mosquitto/", folder.path + "/"),
        ("/var/lib/mosquitto/", folder.path + "/"), ("listener 8883", "listener \(nodePort) 127.0.0.1"),
        ("listener 8884", "listener \(peoplePort) 127.0.0.1"),
        ("log_dest syslog", "log_dest stderr\nlog_type information\nuser \(NSUserName())"),
      ] {
        guard text.contains(there) else { throw ChildProcess.Failure(description: "the sample has no \(there)") }
        text = text.replacingOccurrences(of: there, with: here)
      }
      let file = try folder.write("mosquitto.conf", text)
      let broker = try ChildProcess("mosquitto", ["-c", file], name: "mosquitto", in: folder)
      child = broker
      guard holdsEventually(timeout: 20, { broker.errors.contains(" running") || !broker.isRunning }), broker.isRunning else {
        throw ChildProcess.Failure(description: "mosquitto did not start: \(broker.errors)")
      }
    }

    deinit { child?.kill() }

    var log: String { child?.errors ?? "" }

    private func makeCertificates(readme: String) throws {
      guard let block = readme.components(separatedBy: "```sh certificates\n").last?.components(separatedBy: "```").first else {
        throw ChildProcess.Failure(description: "the README makes no certificates")
      }
      let script = try folder.write("certificates.sh", block)
      for node in ["edge-01", "edge-02"] {
        let answer = try ChildProcess.run(
          "sh", ["-c", "cd '\(folder.path)' && sh '\(script)'"], in: folder, environment: ["broker": "localhost", "node": node])
        guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "certificates: \(answer.errors)") }
      }
    }

    private func makePasswords() throws {
      let file = try folder.write("godwit.passwords", "")
      for user in ["hub", "viewer", "homeassistant", "edge-03"] {
        let answer = try ChildProcess.run("mosquitto_passwd", ["-b", file, user, "of-\(user)"], in: folder)
        guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "mosquitto_passwd: \(answer.errors)") }
      }
    }

    /// Options by which a client is somebody.
    func node(_ name: String) -> [String] {
      ["-h", "localhost", "-p", "\(nodePort)", "--cafile", folder.path(of: "ca.pem")]
        + ["--cert", folder.path(of: "\(name).pem"), "--key", folder.path(of: "\(name).key")]
    }

    func user(_ name: String, password: String? = nil) -> [String] {
      ["-h", "localhost", "-p", "\(peoplePort)", "--cafile", folder.path(of: "ca.pem")]
        + ["-u", name, "-P", password ?? "of-\(name)"]
    }

    /// Publishes with MQTT 5 and QoS 1: whether the broker took it.
    func accepts(_ who: [String], _ topic: String, retain: Bool = false) throws -> Bool {
      let answer = try ChildProcess.run(
        "mosquitto_pub", who + ["-V", "5", "-q", "1", "-t", topic, "-m", "x"] + (retain ? ["-r"] : []), in: folder)
      return answer.end == .exited(0) && !(answer.output + answer.errors).lowercased().contains("not authorized")
    }
  }

  @Test func aNodeWritesUnderItsOwnIdAndNowhereElse() throws {
    let broker = try SampleBroker()
    for (who, id) in [(broker.node("edge-01"), "edge-01"), (broker.user("edge-03"), "edge-03")] {
      for topic in [
        "godwit/v1/\(id)/state", "godwit/v1/\(id)/metrics", "godwit/v1/\(id)/alerts/cpu-hot", "godwit/v1/\(id)/homeassistant/cpu",
        "godwit/v1/\(id)/cmd/1/status", "homeassistant/device/\(id)/cpu/config", "spBv1.0/plant/NBIRTH/\(id)",
        "spBv1.0/plant/NDEATH/\(id)", "spBv1.0/plant/DDATA/\(id)/disk",
      ] {
        #expect(try broker.accepts(who, topic), "\(topic)")
      }
      for topic in [
        "godwit/v1/edge-02/metrics", "godwit/v1/edge-02/state", "homeassistant/device/edge-02/cpu/config",
        "homeassistant/sensor/\(id)/cpu/config", "spBv1.0/plant/NDATA/edge-02", "spBv1.0/plant/NCMD/\(id)",
        "spBv1.0/STATE/hub", "homeassistant/status", "other", "godwit/v2/\(id)/metrics",
      ] {
        #expect(try !broker.accepts(who, topic), "\(topic)")
      }
    }
    // A refusal ends no connection: the node would begin it anew for ever.
    #expect(!broker.log.contains("Bad socket"), "\(broker.log)")
  }

  @Test func whoIsNobodyIsRefused() throws {
    let broker = try SampleBroker()
    let topic = "godwit/v1/edge-01/metrics"
    let certificate = broker.node("edge-01")
    #expect(try broker.accepts(certificate, topic))
    // Without a certificate; without a name; with a wrong password; with another authority's certificate.
    #expect(try !broker.accepts(Array(certificate.prefix(6)), topic))
    #expect(try !broker.accepts(Array(broker.user("hub").prefix(6)), topic))
    #expect(try !broker.accepts(broker.user("edge-03", password: "wrong"), "godwit/v1/edge-03/metrics"))
    let stranger = try SampleBroker()
    #expect(
      try !broker.accepts(Array(certificate.prefix(6)) + Array(stranger.node("edge-01").suffix(4)), topic))
    // A viewer writes nothing; the hub commands.
    #expect(try !broker.accepts(broker.user("viewer"), "godwit/v1/edge-01/cmd/1"))
    #expect(try broker.accepts(broker.user("hub"), "godwit/v1/edge-01/cmd/1"))
    #expect(try !broker.accepts(broker.user("hub"), topic))
  }

  @Test func aNodeReadsItsOwnCommandsOnly() throws {
    let broker = try SampleBroker()
    let hub = broker.user("hub")
    #expect(try broker.accepts(broker.node("edge-02"), "godwit/v1/edge-02/state", retain: true))
    #expect(try broker.accepts(broker.node("edge-01"), "godwit/v1/edge-01/state", retain: true))
    for topic in ["godwit/v1/edge-02/cmd/1", "godwit/v1/edge-01/cmd/1", "spBv1.0/plant/NCMD/edge-02", "spBv1.0/STATE/hub"] {
      #expect(try broker.accepts(hub, topic, retain: true), "\(topic)")
    }
    // It ends with the first message that is not a retained one: all of those came before it.
    let subscriber = try ChildProcess(
      "mosquitto_sub", broker.node("edge-01") + ["-t", "#", "-v", "--retained-only"], name: "subscriber", in: broker.folder)
    try eventually("the end of the subscriber") {
      _ = try broker.accepts(hub, "godwit/v1/edge-01/cmd/2")
      return !subscriber.isRunning
    }
    let topics = Set(subscriber.output.split(separator: "\n").map { $0.prefix { $0 != " " } })
    #expect(topics.isSuperset(of: ["godwit/v1/edge-01/cmd/1", "spBv1.0/STATE/hub"]), "\(topics)")
    #expect(topics.isSubset(of: ["godwit/v1/edge-01/cmd/1", "godwit/v1/edge-01/cmd/2", "spBv1.0/STATE/hub"]), "\(topics)")
  }

  /// A node with the payload `sparkplug` has a connection more, with a client id of its own.
  @Test func aNodeHasTwoConnections() throws {
    let broker = try SampleBroker()
    let subscriber = try ChildProcess(
      "mosquitto_sub", broker.node("edge-01") + ["-i", "godwit-edge-01", "-t", "godwit/v1/edge-01/cmd/1"], name: "subscriber",
      in: broker.folder)
    eventually("the first connection") { broker.log.contains(" as godwit-edge-01 (") }
    let second = broker.node("edge-01") + ["-i", "godwit-edge-01-sparkplug"]
    #expect(try broker.accepts(second, "spBv1.0/plant/NBIRTH/edge-01"))
    // What reaches the first connection afterwards shows that it was not ended by the second.
    try eventually("a command over the first connection") {
      _ = try broker.accepts(broker.user("hub"), "godwit/v1/edge-01/cmd/1")
      return !subscriber.output.isEmpty
    }
    #expect(!broker.log.contains("already connected"), "\(broker.log)")
    subscriber.kill()
  }

  @Test func theUplinkDeliversThroughIt() throws {
    let broker = try SampleBroker()
    let bench = try Bench(port: broker.nodePort, stored: 3_000) {
      $0.brokers[0].transport = .tls
      $0.brokers[0].host = "localhost"
      $0.node = "edge-01"
      $0.tls.caFile = broker.folder.path(of: "ca.pem")
      $0.tls.certificateFile = broker.folder.path(of: "edge-01.pem")
      $0.tls.keyFile = broker.folder.path(of: "edge-01.key")
    }
    try bench.start()
    try bench.tick(5)
    eventually("delivery", timeout: 40) { bench.isAllDelivered }
    #expect(bench.status.lostTicks == 0 && bench.status.deliveredTicks == 3_005, "\(bench.status) \(broker.log)")
  }
}
