/// The bounds of what a profile may hold. None is near what a real device needs; each keeps a mistake or an attack small.
enum ProfileLimits {
  /// Brokers of the uplink.
  static let brokers = 8
  /// Bytes of one file.
  static let fileBytes = 1 << 20
  /// Files under `profile.d`.
  static let dropIns = 100
  /// Maps and lists inside one another.
  static let depth = 32
  /// Values of one file, with what its aliases repeat.
  static let nodes = 20_000
  /// Bytes of a scalar after substitution.
  static let substitutedBytes = 1 << 16
  /// Bytes that all variables together may add.
  static let addedBytes = 1 << 20
  /// Problems that are listed.
  static let problems = 200
  /// Characters of one part of a problem's message.
  static let messageCharacters = 300
  /// Bytes of an alert's message before its placeholders are filled in.
  static let alertMessageBytes = 1_000
  /// Alert rules.
  static let alerts = 500
  /// Maps in one list of a sensor's settings.
  static let items = 256
  /// A program's path and its arguments.
  static let arguments = 64
  /// Lines that the agent drives.
  static let outputs = 64
  /// Bytes of the name of a line or chip.
  static let lineBytes = 64
  /// Keys in a map of the user's own keys.
  static let mapKeys = 64
  /// Labels of the node.
  static let labels = 32
  /// Bytes of a node id, an alert's name.
  static let nameBytes = 64
  /// Bytes of a file that holds only a machine id.
  static let machineIDBytes = 256
  /// Descriptions of one kind of hardware.
  static let hardwareFiles = 1_000
  /// Bytes of a description of hardware.
  static let hardwareFileBytes = 1 << 16
  /// Folders above the program that are searched for a checkout: `.build/<triple>/release/` lies three below it.
  static let hardwareAncestors = 6
  /// Characters of a word for which a suggestion is looked up.
  static let suggestedCharacters = 64
}
