import Profile
import Telemetry

extension Detection {
  /// What was found, as one object and a line feed.
  func json() -> [UInt8] {
    var json = JSONWriter(capacity: 8192)
    json.beginObject()
    json.member("model", model)
    Self.strings("compatible", device.compatible, to: &json)
    json.key("board")
    write(recognition.board, to: &json)
    writeHats(to: &json)
    for (key, devices) in [("accelerators", device.accelerators), ("graphics", device.graphics)] {
      json.key(key)
      json.beginArray()
      for one in devices {
        json.beginObject()
        json.member("class", one.kind)
        json.member("name", one.name)
        json.member("product", one.description)
        json.member("driver", one.driver)
        json.member("pci", one.pci)
        json.endObject()
      }
      json.endArray()
    }
    writeBuses(to: &json)
    writeSensors(to: &json)
    json.key("problems")
    json.beginArray()
    for problem in problems { json.string(problem.description) }
    json.endArray()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ board: Board?, to json: inout JSONWriter) {
    guard let board else { return json.null() }
    json.beginObject()
    json.member("name", board.name)
    json.member("file", Self.short(board.file))
    json.member("evidence", recognition.boardEvidence)
    Self.strings("gpio_chips", board.gpioChips, to: &json)
    Self.strings("gpio_lines", board.gpioLines, to: &json)
    if let bus = board.i2cBus { json.member("i2c_bus", bus) }
    json.key("thermal")
    json.beginArray()
    for zone in board.zones {
      json.beginObject()
      json.member("zone", zone.zone)
      json.member("role", zone.role.rawValue)
      json.member("warn_celsius", zone.warnCelsius)
      json.member("throttle_celsius", zone.throttleCelsius)
      json.member("shutdown_celsius", zone.shutdownCelsius)
      json.endObject()
    }
    json.endArray()
    for (key, inputs) in [("fans", board.fans), ("rails", board.rails)] {
      json.key(key)
      json.beginArray()
      for input in inputs {
        json.beginObject()
        json.member("chip", input.chip)
        json.member("sensor", input.sensor)
        json.member("what", input.what)
        json.endObject()
      }
      json.endArray()
    }
    json.endObject()
  }

  private func writeHats(to json: inout JSONWriter) {
    json.key("addons")
    json.beginArray()
    for finding in recognition.hats {
      json.beginObject()
      json.member("name", finding.hat.name)
      json.member("file", Self.short(finding.hat.file))
      json.member("evidence", finding.evidence)
      json.member("certain", finding.isCertain)
      json.endObject()
    }
    json.endArray()
    json.key("eeproms")
    json.beginArray()
    for hat in device.hats {
      json.beginObject()
      json.member("vendor", hat.vendor)
      json.member("product", hat.product)
      json.member("product_id", hat.productID)
      json.member("uuid", hat.uuid)
      json.endObject()
    }
    json.endArray()
  }

  private func writeBuses(to json: inout JSONWriter) {
    json.key("i2c")
    json.beginArray()
    for adapter in device.i2c {
      json.beginObject()
      json.member("bus", adapter.bus)
      json.member("name", adapter.name)
      json.key("chips")
      json.beginArray()
      for client in adapter.clients {
        json.beginObject()
        json.member("address", DeviceHardware.text(address: client.address))
        json.member("name", client.name)
        json.member("driver", client.driver)
        json.endObject()
      }
      json.endArray()
      if let answers = device.answers[adapter.bus] {
        Self.strings("answers", answers.map(DeviceHardware.text(address:)), to: &json)
      }
      json.endObject()
    }
    json.endArray()
    Self.strings("spi", device.spi, to: &json)
    Self.strings("one_wire", device.oneWire, to: &json)
    json.key("gpio")
    json.beginArray()
    for chip in device.gpio {
      json.beginObject()
      json.member("label", chip.label)
      json.member("lines", chip.lineCount)
      json.endObject()
    }
    json.endArray()
  }

  private func writeSensors(to json: inout JSONWriter) {
    json.key("sensors")
    json.beginArray()
    for part in parts {
      json.beginObject()
      json.member("name", part.kind.name)
      json.member("present", part.problem == nil)
      json.member("values", part.problem == nil ? part.readings.sorted.count : 0)
      json.member("problem", part.problem?.description)
      json.endObject()
    }
    json.endArray()
  }

  private static func strings(_ key: String, _ texts: [String], to json: inout JSONWriter) {
    json.key(key)
    json.beginArray()
    for text in texts { json.string(text) }
    json.endArray()
  }
}
