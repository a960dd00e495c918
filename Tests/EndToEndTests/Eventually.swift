import Foundation
import Testing

/// Waits until something holds, asking every 20 ms unless told otherwise; a failure of the test when it does not within the timeout.
/// The timeout only bounds a broken run: no test measures time with it.
@discardableResult
func eventually(
  _ what: String, timeout seconds: Double = 20, every pause: Double = 0.02, sourceLocation: SourceLocation = #_sourceLocation,
  _ holds: () throws -> Bool
) rethrows -> Bool {
  if try holdsEventually(timeout: seconds, every: pause, holds) { return true }
  Issue.record("within \(seconds) s it never held: \(what)", sourceLocation: sourceLocation)
  return false
}

/// The same without a failure.
func holdsEventually(timeout seconds: Double, every pause: Double = 0.02, _ holds: () throws -> Bool) rethrows -> Bool {
  let deadline = Date().addingTimeInterval(seconds)
  while true {
    if try holds() { return true }
    if Date() >= deadline { return false }
    Thread.sleep(forTimeInterval: pause)
  }
}
