import Alerts
import Testing

@Suite struct SilenceTests {
  @Test func aRuleIsSilencedByItsOwnNameOrWithAllOthers() {
    var silences = AlertSilences()
    let isFirst = silences.silence("a", until: 100)
    let isSecond = silences.silence("*", until: 50)
    #expect(isFirst && isSecond)
    #expect(silences.end(of: "a") == 100 && silences.end(of: "b") == 50)
    let early = silences.expire(at: 49)
    let late = silences.expire(at: 50)
    #expect(early.isEmpty && late == ["*"])
    #expect(silences.end(of: "a") == 100 && silences.end(of: "b") == nil)
    let (isLifted, isAgain) = (silences.lift("a"), silences.lift("a"))
    #expect(isLifted && !isAgain && silences.end(of: "a") == nil)
  }

  @Test func theNewerWordReplacesTheOlder() {
    var silences = AlertSilences()
    _ = silences.silence("a", until: 100)
    _ = silences.silence("a", until: 20)
    #expect(silences.end(of: "a") == 20)
  }

  @Test func thereAreAtMostAThousand() {
    var silences = AlertSilences()
    let taken = (0..<AlertLimits.silences + 1).map { silences.silence("r\($0)", until: 1) }
    #expect(taken.count { $0 } == AlertLimits.silences)
    let isReplaced = silences.silence("r0", until: 2)
    #expect(isReplaced)
  }
}
