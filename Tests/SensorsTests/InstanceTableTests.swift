import Testing

@testable import Sensors

@Suite struct InstanceTableTests {
  @Test func aNameThatWasNotSeenIsForgotten() {
    var table = InstanceTable<Int>()
    table.begin()
    table.add(1, 10)
    table.add(2, nil)
    var seen = [table.see(1) { $0 += 1 }, table.see(2) { _ in Issue.record("a name left out has no instance") }]
    #expect(seen == [true, true])
    table.forgetUnseen()
    #expect(table.count == 2)
    table.begin()
    var value = 0
    seen = [
      table.see(1) {
        $0 += 1
        value = $0
      }
    ]
    table.forgetUnseen()
    #expect(seen == [true])
    #expect(value == 12)
    #expect(table.count == 1)
    table.begin()
    let returned = table.see(2) { _ in }
    #expect(!returned)
  }

  @Test func oneNameTwiceInASampleDoesNotHideAnotherThatIsGone() {
    var table = InstanceTable<Int>()
    table.begin()
    for name in 1...2 { table.add(UInt64(name), name) }
    for name in 1...2 { _ = table.see(UInt64(name)) { _ in } }
    table.forgetUnseen()
    table.begin()
    for _ in 1...2 { _ = table.see(1) { _ in } }
    table.forgetUnseen()
    #expect(table.count == 1)
  }

  @Test func whatIsIncludedIsNotExcluded() {
    let all = NameFilter(include: [], exclude: ["lo", "veth*"])
    #expect(all.admits("eth0"))
    #expect(!all.admits("veth12"))
    let some = NameFilter(include: ["lo", "eth?"], exclude: ["lo"])
    #expect(some.admits("lo"))
    #expect(some.admits("eth0"))
    #expect(!some.admits("wlan0"))
  }
}
