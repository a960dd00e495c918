public import Buffer
import Telemetry

/// An event as JSON: `{"id":…,"t":…,"boot":…,"kind":…,"severity":…,"message":…,"detail":{…}}`.
public enum EventJSON {
  /// Writes an event; without its epoch, `t` and `boot` are `null`.
  public static func encode(_ event: StoredEvent, epoch: Epoch?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("id")
    writer.integer(event.id)
    writer.key("t")
    if let epoch { writer.string(WallTime.text(event.milliseconds &+ epoch.offsetMilliseconds)) } else { writer.null() }
    writer.key("boot")
    if let epoch { writer.string(epoch.boot) } else { writer.null() }
    writer.key("kind")
    writer.string(event.kind)
    writer.key("severity")
    writer.string(event.severity.rawValue)
    writer.key("message")
    writer.string(event.message)
    writer.key("detail")
    writer.raw(Array(event.detail.utf8))
    writer.endObject()
    return writer.bytes
  }
}
