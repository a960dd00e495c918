import Foundation

/// A broker of MQTT 5 that can be over its quota, as a child: it answers every message of QoS 1 with the reason that it is told, and counts.
final class QuotaBroker {
  let port: UInt16
  private let folder: TemporaryFolder
  private let child: ChildProcess

  private static let code = """
    import socket, struct, sys
    path = sys.argv[2]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(4)
    print("listening", flush=True)
    def exactly(end, count):
        data = b""
        while len(data) < count:
            more = end.recv(count - len(data))
            if not more:
                raise OSError
            data += more
        return data
    def packet(end):
        kind, length, shift = exactly(end, 1)[0], 0, 0
        while True:
            byte = exactly(end, 1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, exactly(end, length)
    while True:
        end = listener.accept()[0]
        try:
            while True:
                kind, body = packet(end)
                if kind >> 4 == 1:
                    end.sendall(bytes([0x20, 3, 0, 0, 0]))
                elif kind >> 4 == 3:
                    size = struct.unpack(">H", body[:2])[0]
                    reason = 0x97 if open(path).read() == "full" else 0
                    print(body[2:2 + size].decode(), hex(reason), flush=True)
                    if kind & 6:
                        end.sendall(bytes([0x40, 4]) + body[2 + size:4 + size] + bytes([reason, 0]))
                elif kind >> 4 in (8, 10):
                    end.sendall(bytes([0x90 if kind >> 4 == 8 else 0xB0, 4]) + body[:2] + bytes([0, 0]))
                elif kind >> 4 == 12:
                    end.sendall(bytes([0xD0, 0]))
        except OSError:
            end.close()
    """

  init() throws {
    folder = try TemporaryFolder()
    port = try freeLoopbackPort()
    let script = try folder.write("quota.py", QuotaBroker.code)
    child = try ChildProcess("python3", [script, "\(port)", try folder.write("state", "free")], name: "quota", in: folder)
    let (child, listens) = (child, holdsEventually(timeout: 20) { [child] in child.output.contains("listening") })
    guard listens else { throw ChildProcess.Failure(description: "the broker did not start: \(child.errors)") }
  }

  deinit { child.kill() }

  var isFull = false { didSet { _ = try? folder.write("state", isFull ? "full" : "free") } }

  /// How often a message of a topic of the node was taken or refused.
  func answers(_ level: String, isRefused: Bool) -> Int {
    child.output.split(separator: "\n").count { $0 == "godwit/v1/edge-01/\(level) \(isRefused ? "0x97" : "0x0")" }
  }
}
