import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

@Suite struct SeriesCatalogueTests {
  private struct Chunk: Decodable, Equatable {
    struct Head: Decodable, Equatable {
      var count: Int
      var crc: UInt32
    }
    struct One: Decodable, Equatable {
      var id: Int
      var key: String
      var name: String
      var labels: [String: String]
      var unit: String
      var kind: String
      var decimals: Int
    }
    var catalogue: Head
    var series: [One]
  }

  private static func decode(_ json: [UInt8]) throws -> Chunk { try JSONDecoder().decode(Chunk.self, from: Data(json)) }

  @Test func aChunkSaysWhatItsSeriesAre() throws {
    var catalogue = SeriesCatalogue()
    let series = [
      StoredSeries(
        id: 0, key: "disk.used_bytes{mount=\"/\"}", name: "disk.used_bytes", labels: [Label("mount", "/")], unit: "B",
        kind: "gauge", decimals: 0),
      StoredSeries(id: 1, key: "cpu.usage_percent", name: "cpu.usage_percent", labels: [], unit: "%", kind: "gauge", decimals: 1),
    ]
    #expect(catalogue.learn(series) == 0..<1)
    #expect(catalogue.level(0) == "series/0")
    let chunk = try Self.decode(catalogue.json(0))
    // printf 'disk.used_bytes{mount="/"}\0\0cpu.usage_percent\0\1' | python3 -c
    // 'import sys, zlib; print(zlib.crc32(sys.stdin.buffer.read()))'
    #expect(chunk.catalogue == Chunk.Head(count: 2, crc: 3_435_668_861))
    #expect(
      chunk.series == [
        Chunk.One(
          id: 0, key: "disk.used_bytes{mount=\"/\"}", name: "disk.used_bytes", labels: ["mount": "/"], unit: "B",
          kind: "gauge", decimals: 0),
        Chunk.One(id: 1, key: "cpu.usage_percent", name: "cpu.usage_percent", labels: [:], unit: "%", kind: "gauge", decimals: 1),
      ])
  }

  @Test func onlyChangedChunksHaveToBePublished() throws {
    var catalogue = SeriesCatalogue(seriesPerChunk: 16)
    let series = PackedFeed.series
    #expect(catalogue.learn(Array(series[..<20])) == 0..<2)
    #expect(catalogue.learn([]).isEmpty)
    let (full, half) = (catalogue.json(0), catalogue.json(1))
    #expect(catalogue.learn(Array(series[20..<32])) == 1..<2)
    #expect(catalogue.learn(Array(series[32...])) == 2..<3)
    #expect(catalogue.count == 40 && catalogue.chunks == 3 && catalogue.level(2) == "series/32")
    #expect(catalogue.json(0) == full && catalogue.json(1) != half)
    #expect(try Self.decode(catalogue.json(2)).series.map(\.id) == Array(32..<40))
  }

  @Test func aReaderPutsChunksTogetherInAnyOrder() throws {
    var catalogue = SeriesCatalogue(seriesPerChunk: 16)
    let series = PackedFeed.series
    _ = catalogue.learn(Array(series[..<30]))
    let early = catalogue.json(1)
    _ = catalogue.learn(Array(series[30...]))
    var reader = PackedReader()
    try reader.learn(catalogue: catalogue.json(2))
    try reader.learn(catalogue: early)
    #expect(reader.series.isEmpty)
    try reader.learn(catalogue: catalogue.json(0))
    #expect(reader.series == Array(series[..<30]))
    try reader.learn(catalogue: catalogue.json(1))
    #expect(reader.series == series)
    try reader.learn(catalogue: [])
    #expect(reader.series == series)
  }

  @Test func chunksOfAnotherCatalogueAreNotMixedIn() throws {
    var (one, other) = (SeriesCatalogue(seriesPerChunk: 16), SeriesCatalogue(seriesPerChunk: 16))
    _ = one.learn(PackedFeed.series)
    // A new buffer names the same series in another order.
    let turned = PackedFeed.series.reversed().enumerated().map { id, old in
      StoredSeries(
        id: id, key: old.key, name: old.name, labels: old.labels, unit: old.unit, kind: old.kind, decimals: old.decimals)
    }
    _ = other.learn(turned)
    var reader = PackedReader()
    for chunk in 0..<3 { try reader.learn(catalogue: one.json(chunk)) }
    try reader.learn(catalogue: other.json(0))
    #expect(reader.series == Array(turned[..<16]))
    for chunk in 1..<3 { try reader.learn(catalogue: other.json(chunk)) }
    #expect(reader.series == turned)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"catalogue":{"count":1,"crc":0},"series":[]}"#,
    #"{"catalogue":{"count":1,"crc":-1},"series":[{"id":0,"key":"a","name":"a","labels":{},"unit":"","kind":"gauge","decimals":0}]}"#,
    #"{"catalogue":{"count":1,"crc":1},"series":[{"id":0,"key":"a","name":"a","labels":{},"unit":"","kind":"gauge","decimals":10}]}"#,
    #"{"catalogue":{"count":1,"crc":1},"series":[{"id":0,"key":"a","name":"a","labels":[],"unit":"","kind":"gauge","decimals":1}]}"#,
    #"{"catalogue":{"count":1,"crc":1},"series":[{"id":0,"key":"a"},{"id":2,"key":"b"}]}"#,
  ]) func whatIsNoChunkIsRefused(text: String) throws {
    var reader = PackedReader()
    if text.isEmpty { return try reader.learn(catalogue: []) }
    #expect(throws: PackedFault.damaged) { try reader.learn(catalogue: Array(text.utf8)) }
  }

  @Test func aReaderTakesNoMoreThanANodeMayHave() throws {
    let json =
      #"{"catalogue":{"count":1,"crc":1},"series":[{"id":10000,"key":"a","name":"a","labels":{},"unit":"","kind":"","decimals":1}]}"#
    var reader = PackedReader()
    #expect(throws: PackedFault.tooLarge) { try reader.learn(catalogue: Array(json.utf8)) }
    let long = [UInt8](repeating: 0x20, count: UplinkLimits.catalogueBytes + 1)
    #expect(throws: PackedFault.tooLarge) { try reader.learn(catalogue: long) }
  }
}
