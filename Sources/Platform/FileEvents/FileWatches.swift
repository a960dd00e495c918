public import Telemetry

/// Something that happened in a watched directory.
public struct FileEvent: Hashable, Sendable {
  /// The number of its watch; negative when events were lost.
  public var watch: Int
  /// What happened: one of the bits below, and others that inotify(7) has.
  public var mask: UInt32
  /// Of what in the directory; empty when it is the directory itself.
  public var name: String

  /// States an event.
  public init(watch: Int, mask: UInt32, name: String) { (self.watch, self.mask, self.name) = (watch, mask, name) }

  /// IN_MODIFY: written to, or cut.
  public static let modify: UInt32 = 0x2
  /// IN_ATTRIB: mode, owner, times, links.
  public static let attributes: UInt32 = 0x4
  /// IN_CLOSE_WRITE: closed by one that could write.
  public static let closeWrite: UInt32 = 0x8
  /// IN_MOVED_FROM: renamed, the old name.
  public static let movedFrom: UInt32 = 0x40
  /// IN_MOVED_TO: renamed, the new name.
  public static let movedTo: UInt32 = 0x80
  /// IN_CREATE.
  public static let create: UInt32 = 0x100
  /// IN_DELETE.
  public static let delete: UInt32 = 0x200
  /// IN_DELETE_SELF: the directory itself.
  public static let deleteSelf: UInt32 = 0x400
  /// IN_MOVE_SELF: the directory itself.
  public static let moveSelf: UInt32 = 0x800
  /// IN_Q_OVERFLOW: events were lost.
  public static let overflow: UInt32 = 0x4000
  /// IN_IGNORED: the watch has ended.
  public static let ignored: UInt32 = 0x8000
  /// IN_ISDIR: it is a directory.
  public static let isDirectory: UInt32 = 0x4000_0000
  /// IN_ALL_EVENTS that are asked for here: all but opening, reading and closing unwritten.
  static let all: UInt32 = 0xFCE
}

/// Watches over directories. They end when the last reference goes.
public protocol FileWatches: AnyObject {
  /// Watches a directory; one that is watched keeps its number. `followsLinks`: also when the path's last name is a link to it.
  ///
  /// - Throws: `absent` where no directory is; `device` when the user has too many watches; `io`.
  func watch(_ path: String, followsLinks: Bool) throws(SensorError) -> Int
  /// Ends a watch.
  func unwatch(_ watch: Int)
  /// Takes some of what happened, oldest first; false when nothing is left. Two equal events in a row are one when nobody took the first.
  func take(into events: inout [FileEvent]) -> Bool
}

enum FileWatchFailure {
  static let noWatches = SensorError.device("inotify", what: "no more watches: raise the sysctl fs.inotify.max_user_watches")
  static let noInstances = SensorError.device(
    "inotify", what: "no more users of it: raise the sysctl fs.inotify.max_user_instances")
}

/// The events of a read from inotify(7), up to one that is not whole; numbers in the machine's order.
///
/// ```
///  0       4       8        12     16        16 + len
/// ┌───────┬───────┬────────┬──────┬──────────────────┐
/// │ watch │ mask  │ cookie │ len  │ name, NUL-padded │ …
/// └───────┴───────┴────────┴──────┴──────────────────┘
/// ```
func fileEvents(_ bytes: ArraySlice<UInt8>) -> [FileEvent] {
  bytes.withUnsafeBytes { raw in
    var events: [FileEvent] = []
    var offset = 0
    while raw.count - offset >= 16 {
      let length = Int(raw.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
      guard length <= raw.count - offset - 16 else { break }
      let name = raw[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
      events.append(
        FileEvent(
          watch: Int(raw.loadUnaligned(fromByteOffset: offset, as: Int32.self)),
          mask: raw.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self), name: String(decoding: name, as: UTF8.self)))
      offset += 16 + length
    }
    return events
  }
}
