import Profile
import Telemetry

extension Detection {
  /// What was found, as one object and a line feed.
  func json() -> [UInt8] {
    var json = JSONWriter(capacity: 8192)
    json.beginObject()
    json.member("model", model)
    json.member("compatible", device.compatible)
    json.key("board")
    write(recognition.board, to: &json)
    writeHats(to: &json)
    for (key, devices) in [("accelerators", device.accelerators), ("graphics", device.graphics)] {
      json.objects(key, devices) { json, one in
        json.member("class", one.kind)
        json.member("name", one.name)
        json.member("product", one.description)
        json.member("driver", one.driver)
        json.member("pci", one.pci)
      }
    }
    writeBuses(to: &json)
    writeSensors(to: &json)
    json.member("problems", problems.map(\.description))
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ board: Board?, to json: inout JSONWriter) {
    guard let board else { return json.null() }
    json.beginObject()
    json.member("name", board.name)
    json.member("file", Self.short(board.file))
    json.member("evidence", recognition.boardEvidence)
    json.member("gpio_chips", board.gpioChips)
    json.member("gpio_lines", board.gpioLines)
    if let bus = board.i2cBus { json.member("i2c_bus", bus) }
    json.objects("thermal", board.zones) { json, zone in
      json.member("zone", zone.zone)
      json.member("role", zone.role.rawValue)
      json.member("warn_celsius", zone.warnCelsius)
      json.member("throttle_celsius", zone.throttleCelsius)
      json.member("shutdown_celsius", zone.shutdownCelsius)
    }
    for (key, inputs) in [("fans", board.fans), ("rails", board.rails)] {
      json.objects(key, inputs) { json, input in
        json.member("chip", input.chip)
        json.member("sensor", input.sensor)
        json.member("what", input.what)
      }
    }
    json.endObject()
  }

  private func writeHats(to json: inout JSONWriter) {
    json.objects("addons", recognition.hats) { json, finding in
      json.member("name", finding.hat.name)
      json.member("file", Self.short(finding.hat.file))
      json.member("evidence", finding.evidence)
      json.member("certain", finding.isCertain)
    }
    json.objects("eeproms", device.hats) { json, hat in
      json.member("vendor", hat.vendor)
      json.member("product", hat.product)
      json.member("product_id", hat.productID)
      json.member("uuid", hat.uuid)
    }
  }

  private func writeBuses(to json: inout JSONWriter) {
    json.objects("i2c", device.i2c) { json, adapter in
      json.member("bus", adapter.bus)
      json.member("name", adapter.name)
      json.objects("chips", adapter.clients) { json, client in
        json.member("address", DeviceHardware.text(address: client.address))
        json.member("name", client.name)
        json.member("driver", client.driver)
      }
      if let answers = device.answers[adapter.bus] {
        json.member("answers", answers.map(DeviceHardware.text(address:)))
      }
    }
    json.member("spi", device.spi)
    json.member("one_wire", device.oneWire)
    json.objects("gpio", device.gpio) { json, chip in
      json.member("label", chip.label)
      json.member("lines", chip.lineCount)
    }
  }

  private func writeSensors(to json: inout JSONWriter) {
    json.objects("sensors", parts) { json, part in
      json.member("name", part.kind.name)
      json.member("present", part.problem == nil)
      json.member("values", part.problem == nil ? part.readings.sorted.count : 0)
      json.member("problem", part.problem?.description ?? part.readings.problemText)
    }
  }
}
