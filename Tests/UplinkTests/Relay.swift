import Foundation

/// A TCP relay of the test's, as a child: `cut` breaks all connections, `swallow` lets the device speak and passes nothing on.
final class Relay {
  let port: UInt16
  private let folder: TemporaryFolder
  private let child: ChildProcess

  private static let code = """
    import os, select, signal, socket, sys
    target, path = int(sys.argv[2]), sys.argv[3]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(16)
    pairs = {}
    held = []
    accepted_ends = set()
    passed = open(path + ".passed", "wb")
    print("listening", flush=True)
    cuts = 0
    def drop(one):
        if one not in pairs:
            return
        for end in (one, pairs.pop(one)):
            pairs.pop(end, None)
            # A reset, not a farewell.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
            end.close()
    while True:
        ready = select.select([listener] + list(pairs), [], [], 0.02)[0]
        words = open(path).read().split()
        mode = words[0] if words else "pass"
        if len(words) > 1 and int(words[1]) > cuts:
            cuts = int(words[1])
            for one in list(pairs):
                drop(one)
            continue
        for one in ready:
            if one is listener:
                accepted = listener.accept()[0]
                if mode == "drop":
                    accepted.close()
                    continue
                onward = socket.socket()
                try:
                    if target:
                        onward.connect(("127.0.0.1", target))
                    else:
                        # Both ends are kept: a closed one would end the connection at once.
                        onward, other = socket.socketpair()
                        held.append(other)
                    pairs[accepted], pairs[onward] = onward, accepted
                    accepted_ends.add(accepted)
                except OSError:
                    accepted.close()
                continue
            if one not in pairs:
                continue
            try:
                data = one.recv(65536)
                if not data:
                    drop(one)
                elif mode != "swallow":
                    if one in accepted_ends:
                        passed.write(data)
                        passed.flush()
                    pairs[one].sendall(data)
            except OSError:
                drop(one)
    """

  private var cuts = 0
  private var mode = "pass"

  /// Relays to a port on this machine.
  init(to target: UInt16, mode: String = "pass") throws {
    folder = try TemporaryFolder()
    port = try freeLoopbackPort()
    self.mode = mode
    try folder.write("mode", "\(mode) 0")
    let script = try folder.write("relay.py", Relay.code)
    child = try ChildProcess(
      "python3", [script, "\(port)", "\(target)", folder.path(of: "mode")], name: "relay", in: folder)
    let (child, listens) = (child, holdsEventually(timeout: 20) { [child] in child.output.contains("listening") })
    guard listens else { throw ChildProcess.Failure(description: "the relay did not start: \(child.errors)") }
  }

  deinit { child.kill() }

  /// What came from the device and was passed on.
  var passed: Data { (try? Data(contentsOf: URL(fileURLWithPath: folder.path(of: "mode.passed")))) ?? Data() }

  /// Breaks all connections.
  func cut() {
    cuts += 1
    write()
  }

  /// `pass`, `swallow` (reads and forgets) or `drop` (accepts and closes).
  func set(_ mode: String) {
    self.mode = mode
    write()
  }

  private func write() { _ = try? folder.write("mode", "\(mode) \(cuts)") }
}
