import Randomness
import Testing

/// The tests' own random numbers: other suites name seeds in what they print, which must mean the same everywhere.
@Suite struct SplitMix64Tests {
  /// The numbers that Rosetta Code, "Pseudo-random numbers/Splitmix64", asks of an implementation.
  @Test func givesTheNumbersOfItsReference() {
    var random = SplitMix64(seed: 1_234_567)
    let first = (0..<5).map { _ in random.next() }
    #expect(
      first == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }
}
