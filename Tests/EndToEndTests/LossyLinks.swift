import Foundation

/// Bad links, one for each node, between nodes and a broker on this machine: a child that relays bytes and does to them what it is told. Where
/// the kernel has no netem, this is also closer to the point: a fault strikes in the middle of a packet, and the seed says which.
final class LossyLinks {
  /// What befalls a link. Times are milliseconds.
  enum Fault: String, CaseIterable {
    /// Both ends are reset.
    case cut
    /// Both ends are closed in order.
    case close
    /// A part of what the node sends next passes, then all is reset.
    case truncateUp
    /// A part of what the broker sends next passes, then all is reset: acknowledgements are cut in the middle.
    case truncateDown
    /// What the broker says is swallowed for a time, then all is reset: messages arrived, and nobody knows.
    case deaf
    /// What the node says is swallowed for a time, then all is reset.
    case mute
    /// Nothing passes for a time, then all is reset.
    case blackHole
    /// The node's end is reset; the broker believes in the old connection until the next takes its place.
    case halfOpen
    /// New connections are accepted and dropped for a time.
    case refuse
    /// Everything comes late for a time.
    case delay
    /// The next connection reaches the broker only after the one that follows it.
    case swap
  }

  let ports: [UInt16]
  private let folder: TemporaryFolder
  private let child: ChildProcess
  private let commands: FileHandle

  /// Links to a port on this machine.
  init(count: Int, to target: UInt16, seed: UInt64) throws {
    folder = try TemporaryFolder()
    ports = try (0..<count).map { _ in try freeLoopbackPort() }
    let script = try folder.write("links.py", LossyLinks.code)
    let path = try folder.write("commands", "")
    guard let handle = FileHandle(forWritingAtPath: path) else { throw ChildProcess.Failure(description: "cannot open \(path)") }
    commands = handle
    child = try ChildProcess(
      "python3", [script, String(target), String(seed), path] + ports.map(String.init), name: "links", in: folder)
    let listens = holdsEventually(timeout: 20) { [child] in child.output.contains("listening") }
    guard listens else { throw ChildProcess.Failure(description: "the links did not come up: \(child.errors)") }
  }

  deinit { child.kill() }

  /// Lets a fault befall a link, beside what still befalls it.
  func strike(_ link: Int, _ fault: Fault, milliseconds: Int) throws {
    try commands.write(contentsOf: Data("\(link) \(fault.rawValue) \(milliseconds)\n".utf8))
  }

  /// Complaints of the child; empty when it is well.
  var problems: String { child.isRunning ? child.errors : "the links ended: \(child.errors)" }

  private static let code = #"""
    import asyncio, random, sys
    target, seed, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    ports = [int(one) for one in sys.argv[4:]]

    class Link:
        def __init__(self, number):
            self.random = random.Random(seed * 1000 + number)
            self.pairs, self.orphans = [], []
            self.mode, self.generation, self.holds, self.followed = None, 0, False, None

        def end(self, how="abort"):
            for pair in self.pairs:
                for one in pair:
                    one.transport.abort() if how == "abort" else one.close()
            self.pairs = []

        def strike(self, fault, seconds):
            self.generation += 1
            self.mode = None
            if fault in ("cut", "close"):
                self.end("abort" if fault == "cut" else "close")
            elif fault == "halfOpen":
                for node, broker in self.pairs:
                    self.orphans.append(broker)
                    node.transport.abort()
                self.pairs = []
            elif fault == "swap":
                self.holds, self.followed = True, asyncio.Event()
                self.end()
            else:
                self.mode = fault
                if fault == "refuse":
                    self.end()
                asyncio.get_running_loop().call_later(seconds, self.rest, self.generation)

        def rest(self, generation):
            if generation != self.generation:
                return
            # What was swallowed is missing in the stream: it cannot go on.
            if self.mode in ("deaf", "mute", "blackHole"):
                self.end()
            self.mode = None

        async def pump(self, reader, writer, pair, up):
            try:
                while True:
                    data = await reader.read(65536)
                    if not data:
                        break
                    mode = self.mode
                    if mode == "blackHole" or mode == ("mute" if up else "deaf"):
                        continue
                    if mode == "delay":
                        await asyncio.sleep(self.random.uniform(0.02, 0.3))
                    if mode == ("truncateUp" if up else "truncateDown"):
                        self.mode = None
                        writer.write(data[: self.random.randrange(len(data))])
                        await writer.drain()
                        # What was written leaves; an abort would throw it away.
                        await asyncio.sleep(0.02)
                        self.end()
                        break
                    writer.write(data)
                    await writer.drain()
            except (OSError, asyncio.CancelledError):
                pass
            if pair in self.pairs:
                self.pairs.remove(pair)
                for one in pair:
                    one.close()

        async def serve(self, reader, writer):
            if self.mode == "refuse":
                return writer.transport.abort()
            first = b""
            if self.holds:
                self.holds, followed = False, self.followed
                first = await reader.read(65536)
                await asyncio.sleep(0.3)
                writer.transport.abort()
                await asyncio.wait_for(followed.wait(), 60)
                await asyncio.sleep(self.random.uniform(0.1, 0.5))
                late, out = await asyncio.open_connection("127.0.0.1", target)
                out.write(first)
                await out.drain()
                await asyncio.sleep(0.2)
                return out.transport.abort()
            try:
                back, onward = await asyncio.open_connection("127.0.0.1", target)
            except OSError:
                return writer.transport.abort()
            pair = (writer, onward)
            self.pairs.append(pair)
            if self.followed:
                self.followed.set()
            await asyncio.gather(self.pump(reader, onward, pair, True), self.pump(back, writer, pair, False))

    async def main():
        links = [Link(number) for number in range(len(ports))]
        for link, port in zip(links, ports):
            await asyncio.start_server(link.serve, "127.0.0.1", port)
        print("listening", flush=True)
        commands, rest = open(path), ""
        while True:
            rest += commands.read()
            *lines, rest = rest.split("\n")
            for line in lines:
                number, fault, milliseconds = line.split()
                links[int(number)].strike(fault, int(milliseconds) / 1000)
            await asyncio.sleep(0.01)

    asyncio.run(main())
    """#
}
