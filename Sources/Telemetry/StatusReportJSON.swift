extension StatusReport {
  /// The report as one JSON object; every key is there, unknown values are `null`, maps are sorted by key.
  public func json() -> [UInt8] {
    var json = JSONWriter(capacity: 4096 + values.count * 48)
    json.beginObject()
    json.member("version", version)
    json.member("source", source.rawValue)
    json.member("node", node)
    json.member("labels", labels)
    json.member("boot", boot)
    json.member("uptime_s", uptimeSeconds)
    json.member("started", started)
    json.member("time", time)
    json.object("clock") { json in
      json.key("synced")
      if let synced = clock.synced { json.bool(synced) } else { json.null() }
      json.member("offset_s", clock.offsetSeconds)
    }
    json.object("tick", tick.write)
    json.object("buffer", buffer.write)
    json.object("uplink", uplink.write)
    json.array("sensors", of: sensors) { $1.write(to: &$0) }
    json.array("alerts", of: alerts) { $1.write(to: &$0) }
    json.array("ended", of: ended ?? []) { $1.write(to: &$0) }
    json.array("outputs", of: outputs ?? []) { $1.write(to: &$0) }
    json.key("watchdog")
    if let watchdog { watchdog.write(to: &json) } else { json.null() }
    json.key("shutdown")
    if let shutdown { shutdown.write(to: &json) } else { json.null() }
    json.object("m") { json in
      for (key, value) in values.sorted(by: { $0.key < $1.key }) where value.isFinite { json.member(key, value) }
    }
    json.member("units", units.filter { !$0.value.isEmpty })
    json.endObject()
    return json.bytes
  }
}

extension StatusReport.Tick {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("every_ms", everyMilliseconds)
    json.member("seq", seq)
    json.member("ticks", ticks)
    json.member("skipped", skipped)
    json.member("late_p50_ms", lateP50Milliseconds)
    json.member("late_p99_ms", lateP99Milliseconds)
    json.member("late_max_ms", lateMaxMilliseconds)
  }
}

extension StatusReport.Buffer {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("path", path)
    json.member("bytes", bytes)
    json.member("max_bytes", maxBytes)
    json.member("ticks", ticks)
    json.member("first", first)
    json.member("last", last)
    json.member("uncommitted", uncommitted)
    json.member("state", state)
    json.member("problem", problem)
  }
}

extension StatusReport.Uplink {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("configured", configured)
    json.member("broker", broker)
    json.member("state", state)
    json.member("since", since)
    json.member("attempts", attempts)
    json.member("last_error", lastError)
    json.member("warning", warning)
    json.member("delivered", delivered)
    json.member("owed", owed)
    json.member("lost", lost)
    json.member("rtt_ms", roundTripMilliseconds)
  }
}

extension StatusReport.Sensor {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("name", name)
    json.member("state", state)
    json.member("every_ms", everyMilliseconds)
    json.member("age_s", ageSeconds)
    json.member("duration_ms", durationMilliseconds)
    json.member("values", values)
    json.member("failures", failures)
    json.member("problem", problem)
  }
}

extension StatusReport.Alert {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("rule", rule)
    json.member("severity", severity)
    json.member("state", state)
    json.member("series", series)
    json.member("value", value)
    json.member("since", since)
    json.member("message", message)
  }
}

extension StatusReport.Ending {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("rule", rule)
    json.member("severity", severity)
    json.member("series", series)
    json.member("value", value)
    json.member("reason", reason)
    json.member("at", at)
  }
}

extension StatusReport.Output {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("name", name)
    json.key("on")
    if let on { json.bool(on) } else { json.null() }
    json.member("wanted", wanted)
    json.member("driver", driver)
    json.member("problem", problem)
  }
}

extension StatusReport.Watchdog {
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("device", device)
    json.member("state", state)
    json.member("identity", identity)
    json.member("timeout_s", timeoutSeconds.map(Double.init))
    json.member("problem", problem)
    json.endObject()
  }
}

extension StatusReport.Shutdown {
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("state", state)
    json.member("problem", problem)
    json.endObject()
  }
}

extension JSONWriter {
  mutating func object(_ key: String, _ body: (inout JSONWriter) -> Void) {
    self.key(key)
    beginObject()
    body(&self)
    endObject()
  }

  mutating func array<Element>(_ key: String, of elements: [Element], _ body: (inout JSONWriter, Element) -> Void) {
    self.key(key)
    beginArray()
    for element in elements {
      beginObject()
      body(&self, element)
      endObject()
    }
    endArray()
  }

  fileprivate mutating func member(_ key: String, _ map: [String: String]) {
    object(key) { json in
      for (key, value) in map.sorted(by: { $0.key < $1.key }) { json.member(key, value) }
    }
  }
}
