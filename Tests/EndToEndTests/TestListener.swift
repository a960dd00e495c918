import Foundation
import Synchronization

/// Listens on loopback and treats its callers badly, on a thread of its own.
final class TestListener {
  enum Manner {
    /// Accepts, and closes at once.
    case drop
    /// Never accepts, with its queue full: who connects waits for an answer to the first packet.
    case ignore
  }

  let port: UInt16
  private let descriptor: Int32
  private let state = State()
  private var fillers: [Int32] = []

  private final class State: Sendable {
    let accepted = Atomic<Int>(0)
    let isOver = Atomic<Bool>(false)
    let hasEnded = Atomic<Bool>(false)
  }

  init(_ manner: Manner) throws {
    port = try freeLoopbackPort()
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = TestListener.loopback(port)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0, listen(descriptor, manner == .drop ? 16 : 0) == 0 else {
      throw ChildProcess.Failure(description: "cannot listen on \(port): errno \(errno)")
    }
    if manner == .ignore { fillQueue() } else { serve() }
  }

  deinit {
    state.isOver.store(true, ordering: .releasing)
    if fillers.isEmpty { _ = holdsEventually(timeout: 5) { state.hasEnded.load(ordering: .acquiring) } }
    for filler in fillers { close(filler) }
    close(descriptor)
  }

  /// Connections so far.
  var accepted: Int { state.accepted.load(ordering: .relaxed) }

  private func serve() {
    let (descriptor, state) = (descriptor, state)
    Thread.detachNewThread {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      while !state.isOver.load(ordering: .acquiring) {
        guard Foundation.poll(&poll, 1, 50) > 0 else { continue }
        let caller = accept(descriptor, nil, nil)
        guard caller >= 0 else { continue }
        state.accepted.add(1, ordering: .relaxed)
        close(caller)
      }
      state.hasEnded.store(true, ordering: .releasing)
    }
  }

  /// Linux lets one more in than listen(2) was told; the rest of these wait as the agent will.
  private func fillQueue() {
    for _ in 0..<4 {
      let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      var address = TestListener.loopback(port)
      _ = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(filler, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      fillers.append(filler)
    }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
