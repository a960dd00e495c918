/// The instances of a sensor (interfaces, block devices) by the hash of their name as it stands in a kernel file.
///
/// A known name costs a look-up and no string. A name seen for the first time was plugged in; one that a sample did not see is
/// forgotten, so that its counters begin anew when it returns. Names that the settings leave out are known too, as no instance.
struct InstanceTable<Instance> {
  private struct Entry {
    var instance: Instance?
    var sample: UInt64
  }

  private var entries: [UInt64: Entry] = [:]
  private var sample: UInt64 = 0
  private var seen = 0

  /// How many names are known.
  var count: Int { entries.count }

  /// Starts a sample: no instance is seen yet.
  mutating func begin() {
    sample &+= 1
    seen = 0
  }

  /// Makes a name known, unseen yet; nil leaves it out.
  mutating func add(_ hash: UInt64, _ instance: Instance?) {
    entries[hash] = Entry(instance: instance, sample: sample &- 1)
  }

  /// Marks a name as seen in this sample and changes its instance, if it has one; false when the name is not known.
  mutating func see(_ hash: UInt64, _ body: (inout Instance) -> Void) -> Bool {
    guard let index = entries.index(forKey: hash) else { return false }
    if entries.values[index].sample != sample {
      entries.values[index].sample = sample
      seen += 1
    }
    // Moved out and back, so that the instance's own arrays are never copied.
    guard var instance = entries.values[index].instance.take() else { return true }
    body(&instance)
    entries.values[index].instance = instance
    return true
  }

  /// Ends a sample: forgets the names it did not see.
  mutating func forgetUnseen() {
    guard seen < entries.count else { return }
    let sample = sample
    entries = entries.filter { $0.value.sample == sample }
  }
}
