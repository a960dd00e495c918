import Foundation
import Glibc
import Telemetry
import Testing

@testable import Platform

/// The edge to netlink: its bytes, the walk through an answer, and one suite over the kernel and a recording.
@Suite struct NetlinkTests {
  /// Messages by hand, in the order of bytes of this machine.
  static func message(_ type: UInt16, _ body: [UInt8], number: UInt32 = 1) -> [UInt8] {
    let header = NetlinkRequest.bytes(UInt32(16 + body.count)) + NetlinkRequest.bytes(type) + [0, 0]
    return header + NetlinkRequest.bytes(number) + [0, 0, 0, 0] + body + [UInt8](repeating: 0, count: -body.count & 3)
  }

  static func error(_ code: Int32) -> [UInt8] { message(2, NetlinkRequest.bytes(-code) + [UInt8](repeating: 0, count: 16)) }

  /// What a conversation makes of datagrams: the bodies, and whether it is whole.
  static func talk(_ datagrams: [[UInt8]]) throws(SensorError) -> (bodies: [Int], isWhole: Bool) {
    var conversation = NetlinkConversation("test", number: 1)
    var bodies: [Int] = []
    for datagram in datagrams {
      let isWhole = try conversation.take(NetlinkBytes(datagram)) { (body) throws(SensorError) in bodies.append(body.count) }
      if isWhole { return (bodies, true) }
    }
    return (bodies, false)
  }

  static func failure(_ datagrams: [[UInt8]]) -> SensorError? {
    do throws(SensorError) {
      _ = try talk(datagrams)
      return nil
    } catch {
      return error
    }
  }

  @Test func numbersEndWithTheBytes() {
    let bytes = NetlinkBytes([1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(bytes.byte(at: 8) == 9 && bytes.byte(at: 9) == nil && bytes.byte(at: -1) == nil)
    #expect(bytes.port(at: 0) == 0x0102 && bytes.port(at: 8) == nil)
    #expect(bytes.unsigned32(at: 5) != nil && bytes.unsigned32(at: 6) == nil && bytes.unsigned32(at: .max) == nil)
    #expect(bytes.unsigned64(at: 1) != nil && bytes.unsigned64(at: 2) == nil)
    let part = bytes.part(from: 2, count: 3)
    #expect(part?.byte(at: 2) == 5 && part?.byte(at: 3) == nil, "a part does not see what is behind it")
    #expect(bytes.part(from: 2, count: 8) == nil && bytes.part(from: 10) == nil && bytes.part(from: 9)?.count == 0)
  }

  /// Payloads of 1, 0 and 5 bytes, the second nested; then one that claims more than there is.
  @Test func attributesArePaddedAndEndWhereOneCannotBe() {
    let good =
      NetlinkRequest.attribute(7, [0xAA]) + NetlinkRequest.attribute(0x8015, [])
      + NetlinkRequest.attribute(4, Array("ab\0cd".utf8))
    for (tail, count) in [([], 3), ([3, 0, 9, 0], 3), ([5, 0, 9, 0], 3), ([4, 0, 9, 0], 4), ([4, 0, 9], 3)] as [([UInt8], Int)] {
      let found = Array(NetlinkBytes(good + tail).attributes())
      #expect(found.count == count, "\(tail)")
      #expect(found.prefix(3).map(\.type) == [7, 0x15, 4])
      #expect(found.prefix(3).map(\.value.count) == [1, 0, 5])
      #expect(found[2].value.text == "ab")
    }
    #expect(Array(NetlinkBytes([1, 2]).attributes(from: 9)).isEmpty)
  }

  /// CTRL_CMD_GETFAMILY as `genl ctrl get name nl80211` sends it, and a list of interfaces.
  @Test func requestsHaveTheKernelsForm() {
    let hex = { (bytes: [UInt8]) in bytes.map { String(format: "%02x", $0) }.joined() }
    #expect(
      hex(NetlinkRequest.family("nl80211").message(number: 9))
        == "20000000" + "1000" + "0500" + "09000000" + "00000000" + "03010000" + "0c000200" + "6e6c383032313100")
    let list = NetlinkRequest.generic("x", family: 0x1C, command: 17, attributes: NetlinkRequest.attribute(3, UInt32(4)))
    #expect(
      hex(list.message(number: 1)) == "1c000000" + "1c00" + "0103" + "01000000" + "00000000" + "11010000" + "0800030004000000")
  }

  @Test func anAnswerEndsWithItsEnd() throws {
    let first = Self.message(28, [1, 2, 3, 4, 5])
    let done = Self.message(3, [0, 0, 0, 0])
    #expect(try Self.talk([first + first, first, done + first]) == ([5, 5, 5], true))
    #expect(try Self.talk([first, Self.error(0)]) == ([5], true), "an acknowledgement")
    #expect(try Self.talk([first]).isWhole == false)
    #expect(try Self.talk([Self.message(28, [1], number: 2) + Self.message(1, []) + first, done]) == ([5], true))
    #expect(try Self.talk([[]]).isWhole == false)
  }

  @Test func whatGoesWrongIsTold() {
    #expect(Self.failure([Self.error(ENOENT)]) == .absent("netlink test"))
    #expect(Self.failure([Self.error(EPERM)]) == .io(path: "netlink test", errno: EPERM))
    #expect(Self.failure([Self.message(3, NetlinkRequest.bytes(-EBUSY))]) == .io(path: "netlink test", errno: EBUSY))
    #expect(Self.failure([Self.message(4, [])]) == .io(path: "netlink test", errno: ENOBUFS))
    #expect(Self.failure([Self.message(2, [1, 0])]) == .malformed(path: "netlink test", what: "an error without its number"))
    let cut = SensorError.malformed(path: "netlink test", what: "a message is cut")
    let whole = Self.message(28, [1, 2, 3, 4])
    for count in 1..<whole.count { #expect(Self.failure([Array(whole[..<count])]) == cut, "\(count) bytes") }
    #expect(Self.failure([NetlinkRequest.bytes(UInt32(15)) + whole.dropFirst(4)]) == cut)
    #expect(Self.failure([NetlinkRequest.bytes(UInt32.max) + whole.dropFirst(4)]) == cut)
  }

  @Test func anAnswerWithoutEndIsGivenUp() {
    let datagram = Self.message(28, [UInt8](repeating: 0, count: 1 << 20))
    let bound = PlatformLimits.netlinkAnswerBytes
    let failure = Self.failure(Array(repeating: datagram, count: bound >> 20))
    #expect(failure == .malformed(path: "netlink test", what: "more than \(bound) bytes"))
  }

  /// The kernel, or what it answered recorded into a tree.
  private func withCalls(live: Bool, _ body: (any HostCalls) throws -> Void) throws {
    if live { return try body(LinuxCalls()) }
    // The controller of the generic families: GENL_ID_CTRL, `nlctrl`.
    let family =
      [1, 2, 0, 0] + NetlinkRequest.attribute(2, Array("nlctrl\0".utf8)) + NetlinkRequest.attribute(1, [16, 0])
    let hex = { (bytes: [UInt8]) in bytes.map { String(format: "%02X ", $0) }.joined() }
    let root = try HostCallsTests.Recording.write([
      "netlink/family.nlctrl": "# recorded\n\(hex(Self.message(16, family)))\n\n\(hex(Self.error(0)))\n",
      "netlink/odd": "0", "netlink/other": "0g", "netlink/short": hex(Self.message(28, [1])),
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    try body(Host(root: root.path).calls)
  }

  @Test(arguments: [true, false])
  func familiesAreFoundByName(live: Bool) throws {
    try withCalls(live: live) { calls in
      let number = try calls.netlinkFamily("nlctrl")
      #expect(number == 16)
      #expect {
        _ = try calls.netlinkFamily("no-such-thing")
      } throws: { error in
        if case SensorError.absent = error { return true }
        return false
      }
    }
  }

  /// GENL_ID_CTRL can list, too: each family once, itself among them.
  @Test func theKernelsListIsWhole() throws {
    var names: [String] = []
    try LinuxCalls().netlink(.generic("families", family: 16, command: 3)) { (content) throws(SensorError) in
      for (type, value) in content.attributes(from: 4) where type == 2 { names.append(value.text) }
    }
    #expect(names.contains("nlctrl"))
    #expect(Set(names).count == names.count)
  }

  @Test func aRecordingIsHexadecimal() throws {
    try withCalls(live: false) { calls in
      func failure(_ name: String) -> SensorError? {
        let request = NetlinkRequest.generic(name, family: 1, command: 1)
        do throws(SensorError) {
          try calls.netlink(request) { (_) throws(SensorError) in }
          return nil
        } catch {
          return error
        }
      }
      #expect(failure("odd") == .malformed(path: "/netlink/odd", what: "half a byte"))
      #expect(failure("other") == .malformed(path: "/netlink/other", what: "no hexadecimal digits"))
      #expect(failure("short") == .timedOut, "a kernel that falls silent")
      #expect(failure("none") == .absent("/netlink/none"))
    }
  }
}
