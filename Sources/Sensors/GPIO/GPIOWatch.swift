import Platform
import Synchronization
import Telemetry

/// The inputs of one sensor, and the thread that takes their edges between the samples: the kernel's queue is short.
///
/// The thread ends, and the lines are free again, when this is dropped.
final class GPIOWatch {
  private let gpio: any GPIOChips
  private let shared: Shared
  private var isRunning = false

  /// Takes what lines can be had.
  init(_ settings: [GPIOInputSettings], gpio: any GPIOChips, at now: Int64) {
    self.gpio = gpio
    let debounces = gpio.debounces
    shared = Shared(settings.map { WatchedInput($0, debounces: debounces) })
    openMissing(at: now)
  }

  deinit {
    shared.inputs.withLock { $0 = [] }
    guard isRunning else { return }
    shared.isStopping.store(true, ordering: .releasing)
    shared.bell.ring()
    // While it polls them the kernel keeps the lines: whoever takes them next would find them busy.
    _ = Poll.wait([(shared.ended.descriptor, .readable)], milliseconds: GPIOLimits.stopMilliseconds)
  }

  /// Looks again for the lines that were not to be had.
  func openMissing(at now: Int64) {
    let gpio = gpio
    let hasDescriptors = shared.inputs.withLock { inputs in
      for index in inputs.indices where inputs[index].held == nil { inputs[index].open(gpio, at: now) }
      return inputs.contains { $0.held?.descriptors.isEmpty == false }
    }
    if isRunning {
      shared.bell.ring()
    } else if hasDescriptors {
      let shared = shared
      let rest = max(gpio.queuedEdges * 1000 / GPIOLimits.edgesPerSecond, 1)
      isRunning = Thread.start(name: "gpio") { shared.run(restMilliseconds: rest) }
    }
  }

  /// Why not a single line is held; nil when one is.
  var failure: SensorError? {
    shared.inputs.withLock { inputs in
      inputs.contains { $0.held != nil } ? nil : inputs.lazy.compactMap(\.failure).first
    }
  }

  /// Takes the edges that wait now, then gives each input to `body`.
  func sample(at now: Int64, _ body: (Int, inout WatchedInput) -> Void) {
    shared.inputs.withLock { inputs in
      for index in inputs.indices {
        inputs[index].takeEdges(at: now)
        body(index, &inputs[index])
      }
    }
  }
}

/// What the thread and the sampling share.
private final class Shared: Sendable {
  let inputs: Mutex<[WatchedInput]>
  /// Wakes the thread: to stop, or for other lines.
  let bell = Bell()
  /// Rung by the thread when it has let go of everything.
  let ended = Bell()
  let isStopping = Atomic(false)

  init(_ inputs: [WatchedInput]) { self.inputs = Mutex(inputs) }

  func run(restMilliseconds: Int) {
    let clock = SystemClock()
    while !isStopping.load(ordering: .acquiring) {
      let descriptors = inputs.withLock { inputs in inputs.flatMap { $0.held?.descriptors ?? [] } }
      let ready = Poll.wait([(bell.descriptor, .readable)] + descriptors.map { ($0, .readable) }, milliseconds: -1)
      if ready.first?.isEmpty == false {
        bell.silence()
        continue
      }
      inputs.withLock { inputs in
        let now = clock.bootNanoseconds()
        for index in inputs.indices { inputs[index].takeEdges(at: now) }
      }
      // A line that floats may tell edges as fast as the machine can take them: the queue has room for this rest.
      _ = Poll.wait([(bell.descriptor, .readable)], milliseconds: restMilliseconds)
    }
    ended.ring()
  }
}
