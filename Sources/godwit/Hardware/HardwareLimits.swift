/// The bounds of what files about boards and HATs may hold, and of what is looked at on a device.
enum HardwareLimits {
  /// Bytes of one file.
  static let fileBytes = 1 << 16
  /// PCI devices, adapters, chips of one kind that are listed.
  static let devices = 512
  /// Bytes of a text of the device's own that is shown.
  static let textBytes = 200
  /// Debouncing of an input, milliseconds.
  static let debounceMilliseconds = 10_000
}
