import Telemetry
import Testing

@testable import Profile

/// What may be written under `identity:`.
@Suite struct IdentityTests {
  private func identity(_ text: String) throws -> IdentityProfile? { try Fixture.parse(text).identity }

  @Test func withoutTheSectionPrivateFactsAreDigests() throws {
    let usual = IdentityProfile(privateFacts: .hash, keyFile: nil, everyMilliseconds: 3_600_000)
    #expect(try identity("node: a") == usual)
    #expect(try identity("identity: {}") == usual)
    #expect(try identity("identity:") == usual)
  }

  @Test func itCanBeSwitchedOff() throws {
    #expect(try identity("identity: false") == nil)
  }

  @Test(arguments: PrivateFacts.allCases) func eachChoiceIsTaken(choice: PrivateFacts) throws {
    #expect(try identity("identity: {private: \(choice.rawValue), every: 1d}")?.privateFacts == choice)
  }

  @Test func aKeyIsAFileOrACredential() throws {
    #expect(try identity("identity: {key_file: /etc/godwit/secrets/key}")?.keyFile == "/etc/godwit/secrets/key")
    #expect(
      try identity("identity: {key_file: credential:identity-key}")?.keyFile == "/run/credentials/godwitd.service/identity-key")
  }

  @Test func aReloadTellsTheChange() throws {
    let old = try Fixture.parse("identity: {private: keep}")
    let new = try Fixture.parse("identity: {every: 2h}")
    #expect(ProfileDifference(from: old, to: new).lines == ["identity: private keep, every 1h -> private hash, every 2h"])
    let off = try Fixture.parse("identity: false")
    #expect(ProfileDifference(from: new, to: off).lines == ["identity: private hash, every 2h -> none"])
    #expect(ProfileDifference(from: new, to: new).isEmpty)
  }
}
