import CLinux
import Glibc
import Synchronization

/// A descriptor that becomes readable when it is rung: wakes a thread that polls.
public final class Bell: Sendable {
  /// For poll(2) and epoll(7).
  public let descriptor: Int32

  /// A silent bell; its descriptor is −1 when the kernel gives none, and then it never wakes anyone.
  public init() {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Wakes the poller.
  public func ring() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Makes it silent again.
  public func silence() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

/// Hands values from any thread to one that polls. Bounded: what does not fit is refused, and the sender is told.
public final class Mailbox<Element: Sendable>: Sendable {
  /// Rung when something was put in.
  public let bell = Bell()
  private let capacity: Int
  private let elements = Mutex<[Element]>([])

  /// A mailbox for at most `capacity` elements.
  public init(capacity: Int) { self.capacity = capacity }

  /// Puts an element in; false when the box is full.
  public func put(_ element: Element) -> Bool {
    let (accepted, wasEmpty) = elements.withLock { elements in
      guard elements.count < capacity else { return (false, false) }
      elements.append(element)
      return (true, elements.count == 1)
    }
    if wasEmpty { bell.ring() }
    return accepted
  }

  /// Takes everything out, oldest first.
  public func takeAll() -> [Element] {
    bell.silence()
    return elements.withLock { elements in
      let all = elements
      elements.removeAll(keepingCapacity: true)
      return all
    }
  }

  /// How many wait.
  public var count: Int { elements.withLock { $0.count } }
}
