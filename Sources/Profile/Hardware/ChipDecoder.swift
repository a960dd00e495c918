import Telemetry

/// Turns a file of `hardware/chips` into a description, and lists everything that does not fit.
struct ChipDecoder {
  let problems: ProblemList
  private var options: [ChipOption] = []
  private var reads: [ChipRead] = []

  init(problems: ProblemList) { self.problems = problems }

  /// A description that is only good if no problem was listed.
  static func decode(_ root: YAMLNode, id: String, problems: ProblemList) -> ChipDescription? {
    let keys = ["name", "description", "datasheet", "addresses", "identify", "options", "start", "steps", "values"]
    guard let reader = DescriptionReader(root, path: "", keys: keys, problems: problems) else { return nil }
    var decoder = ChipDecoder(problems: problems)
    return decoder.description(reader, id: id)
  }

  private mutating func description(_ file: DescriptionReader, id: String) -> ChipDescription? {
    if !DescriptionReader.isIdentifier(id) {
      problems.add(
        file.place, "'\(id)' is no name of a chip", remedy: "name the file by lower-case letters, digits and '_': tmp102.yaml")
    }
    for key in ["name", "description", "datasheet", "addresses", "steps", "values"] where file.node(key) == nil {
      file.miss(key, "write '\(key):'; hardware/chips/README.md shows how")
    }
    // The source that figures can be checked against must be said, though nothing reads it here.
    _ = file.text("datasheet")
    let addresses = file.items("addresses", atMost: ChipLimits.addresses.count)
      .compactMap { file.integer($0, "addresses", ChipLimits.addresses) }
    readOptions(file)
    let identity = identity(file)
    let start = steps(file, "start")
    let steps = steps(file, "steps")
    var values = ChipValuesDecoder(options: options, reads: reads, problems: problems)
    values.decode(file)
    guard let name = file.text("name"), let summary = file.text("description"), !addresses.isEmpty else { return nil }
    return ChipDescription(
      id: id, name: name, summary: summary, addresses: addresses.map { UInt8($0) }, identity: identity, options: options,
      start: start, steps: steps, values: values.values)
  }

  // MARK: - Options

  private mutating func readOptions(_ file: DescriptionReader) {
    for entry in file.pairs("options", atMost: ChipLimits.options) {
      let path = "options.\(entry.key)"
      guard
        let reader = DescriptionReader(
          entry.value, path: path, keys: ["help", "default", "range", "choices"], problems: problems)
      else { continue }
      if !DescriptionReader.isIdentifier(entry.key) {
        problems.add(entry.place, "'\(entry.key)' is no name of an option", remedy: "use lower-case letters, digits and '_'")
      }
      let choices = reader.pairs("choices", atMost: ChipLimits.choices).compactMap { pair -> ChipOption.Choice? in
        guard let number = DescriptionReader.number(pair.key) else {
          problems.add(pair.place, "\(path).choices: '\(pair.key)' is no number", remedy: "write 'number: bits'")
          return nil
        }
        return reader.integer(pair.value, "choices", 0...255).map { ChipOption.Choice(number: number, code: UInt8($0)) }
      }
      if reader.node("help") == nil { reader.miss("help", "say in a sentence what it is") }
      if reader.node("choices") == nil, reader.node("range") == nil {
        reader.miss("range", "say what it may be: 'range: [0.001, 10]', or its choices")
      }
      let numbers = choices.map(\.number)
      let range = reader.range("range") ?? (numbers.min() ?? 0)...(numbers.max() ?? 0)
      let option = ChipOption(
        name: entry.key, help: reader.text("help") ?? "", fallback: reader.number("default"), range: range, choices: choices)
      if let fallback = option.fallback, let wrong = option.fault(fallback) {
        reader.fault("default", "\(DescriptionReader.shown(reader.node("default") ?? entry.value)) \(wrong.what)", wrong.remedy)
      }
      options.append(option)
    }
  }

  // MARK: - Steps

  private func identity(_ file: DescriptionReader) -> ChipDescription.Identity? {
    guard let node = file.node("identify"),
      let reader = DescriptionReader(node, path: "identify", keys: ["write", "equals"], problems: problems)
    else { return nil }
    func bytes(_ key: String) -> [UInt8] {
      if reader.node(key) == nil { reader.miss(key, "write the bytes: '\(key): [0xD0]'") }
      let items = reader.items(key, atMost: 4)
      if reader.node(key) != nil, items.isEmpty { reader.fault(key, "it has no bytes", "write one to four: '\(key): [0xD0]'") }
      return items.compactMap { reader.integer($0, key, 0...255).map { UInt8($0) } }
    }
    return ChipDescription.Identity(write: bytes("write"), equals: bytes("equals"))
  }

  private mutating func steps(_ file: DescriptionReader, _ key: String) -> [ChipStep] {
    let before = reads.count
    var steps: [ChipStep] = []
    var waited = 0
    for (index, node) in file.items(key, atMost: ChipLimits.steps).enumerated() {
      guard
        let reader = DescriptionReader(
          node, path: "\(key)[\(index + 1)]", keys: ["write", "read", "name", "checksum", "wait"], problems: problems)
      else { continue }
      if reader.node("wait") != nil {
        if let milliseconds = wait(reader) {
          waited += milliseconds
          steps.append(.wait(milliseconds))
        }
        continue
      }
      let write = reader.items("write", atMost: ChipLimits.writeBytes).compactMap { byte($0, reader) }
      let read = read(reader)
      if reader.node("read") == nil, reader.items("write", atMost: .max).isEmpty {
        problems.add(reader.place, "\(reader.path) does nothing", remedy: "write 'write: [bytes]', 'read: count' or 'wait: 10ms'")
      }
      steps.append(.transfer(write: write, read: read))
    }
    if waited > ChipLimits.waitMilliseconds {
      file.fault(key, "its waits take \(waited) ms together", "use at most \(ChipLimits.waitMilliseconds) ms")
    }
    if key == "steps", reads.count == before, file.node(key) != nil {
      file.fault(key, "nothing is read", "write a step with 'read: count'")
    }
    return steps
  }

  private func wait(_ reader: DescriptionReader) -> Int? {
    for key in ["write", "read", "name", "checksum"] where reader.node(key) != nil {
      reader.fault(key, "it stands in a step that waits", "make it a step of its own")
    }
    guard let text = reader.text("wait") else { return nil }
    guard let milliseconds = Quantity.milliseconds(text), (1...ChipLimits.waitMilliseconds).contains(milliseconds) else {
      reader.fault("wait", "'\(text)' is no wait", "write 1ms to \(ChipLimits.waitMilliseconds)ms")
      return nil
    }
    return milliseconds
  }

  /// `0xC1`, or `0xC1 | full_scale_volts`: fixed bits and those of options' choices.
  private func byte(_ node: YAMLNode, _ reader: DescriptionReader) -> ChipByte? {
    guard let text = node.scalar?.text else { return reader.integer(node, "write", 0...255).map { ChipByte(UInt8($0)) } }
    var byte = ChipByte(0)
    let coded = options.filter { !$0.choices.isEmpty }.map(\.name)
    for part in text.split(separator: "|", omittingEmptySubsequences: false) {
      let word = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      if coded.contains(word) {
        byte.options.append(word)
      } else if let value = DescriptionReader.integer(word), (0...255).contains(value) {
        byte.bits |= UInt8(value)
      } else {
        problems.add(
          node.place, "\(reader.path).write: '\(word)' is neither a byte nor an option with choices",
          remedy: "write 0 to 255 or 0x00 to 0xFF; options' bits are joined by '|': \"0xC1 | gain\"")
        return nil
      }
    }
    return byte
  }

  private mutating func read(_ reader: DescriptionReader) -> ChipRead? {
    guard let count = reader.integer("read", 1...ChipLimits.readBytes) else { return nil }
    let name = reader.identifier("name") ?? "data"
    if reads.contains(where: { $0.name == name }) {
      problems.add(
        reader.place(of: "name"), "\(reader.path): a read '\(name)' is there already", remedy: "give each its own 'name'")
    }
    let read = ChipRead(name: name, count: count, checksum: checksum(reader, count: count))
    reads.append(read)
    return read
  }

  private func checksum(_ step: DescriptionReader, count: Int) -> ChipChecksum? {
    guard let node = step.node("checksum"),
      let reader = DescriptionReader(
        node, path: step.name(of: "checksum"), keys: ["polynomial", "initial", "every"], problems: problems)
    else { return nil }
    for key in ["polynomial", "initial", "every"] where reader.node(key) == nil {
      reader.miss(key, "write all three: {polynomial: 0x31, initial: 0xFF, every: 2}")
    }
    guard let polynomial = reader.integer("polynomial", 1...255), let initial = reader.integer("initial", 0...255),
      let every = reader.integer("every", 1...ChipLimits.readBytes)
    else { return nil }
    guard count % (every + 1) == 0 else {
      step.fault("read", "\(count) bytes are no groups of \(every) and a checksum", "read a multiple of \(every + 1)")
      return nil
    }
    return ChipChecksum(polynomial: UInt8(polynomial), initial: UInt8(initial), every: every)
  }
}
