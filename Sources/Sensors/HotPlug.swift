import Platform

/// Tells a sensor when to look for its devices anew, so that hot-plug works without a directory listing in every sample.
///
/// The class directory is listed every `samplesBetweenLooks` samples and compared with the listing before. Every tenth look counts
/// as a change anyway: attributes may come and go inside a device. A device that vanished hastens the next look.
struct HotPlug {
  static let samplesBetweenLooks = 60
  static let samplesAfterLoss = 10
  static let looksBetweenRefreshes = 10

  private let host: Host
  private let directory: String
  private var names: [String]
  private var countdown = HotPlug.samplesBetweenLooks
  private var looks = 0
  private var lost = false

  init(host: Host, directory: String) {
    self.host = host
    self.directory = directory
    names = (try? host.list(directory)) ?? []
  }

  /// Counts one sample. Whether the devices must be found anew before it.
  mutating func isDue() -> Bool {
    countdown -= 1
    guard countdown <= 0 else { return false }
    countdown = Self.samplesBetweenLooks
    looks += 1
    let listed = (try? host.list(directory)) ?? []
    defer {
      names = listed
      lost = false
    }
    return lost || listed != names || looks % Self.looksBetweenRefreshes == 0
  }

  /// To be called when a known file is not there any more.
  mutating func deviceVanished() {
    lost = true
    countdown = min(countdown, Self.samplesAfterLoss)
  }
}
