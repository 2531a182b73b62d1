import Foundation
import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: predicates on tags", .tags(.property))
struct TablePredicateTests {
  @Test("random predicates find what the model finds", arguments: 20..<23 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let model = MemoryRun(TableSamples.points(seed: seed, longRowCount: 1_000), sequence: 1...1)
    let table = try TableSamples.table(model)
    var wrong = 0
    var found = 0
    for measurement in try model.measurements() {
      for _ in 0..<80 {
        let predicate = try Self.predicate(depth: 3, using: &random)
        let (a, b) = try (
          table.series(of: measurement, where: predicate), model.series(of: measurement, where: predicate)
        )
        if a.keyBytes != b.keyBytes || a.keyEnds != b.keyEnds { wrong += 1 }
        found += a.count
        for key in try model.tagKeys(of: measurement) {
          let values = try table.tagValues(of: measurement, key: key, where: predicate, countMax: .max) { false }
          if values.map(Self.texts) != Self.values(of: key, in: b) { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0, "seed \(seed)")
    #expect(found > 0)
  }

  private static func texts(_ list: TagValueList) -> [[UInt8]] {
    (0..<list.count).map { Array(list.bytes[list.range($0)]) }
  }

  /// The values that series of a list have of a tag.
  private static func values(of key: [UInt8], in list: SeriesList) -> [[UInt8]] {
    let found = (0..<list.count).compactMap { index in
      SeriesKey(validating: Array(list.keyBytes[list.keyRange(index)]))?.value(of: key).map { Array($0) }
    }
    return Set(found).sorted { $0.lexicographicallyPrecedes($1) }
  }

  private static func predicate(depth: Int, using random: inout SplitMix64) throws -> TagPredicate {
    let name = Array((["a", "host", "zone", "id", "none"].randomElement(using: &random) ?? "").utf8)
    let value = Array((["", "v0", "v1", "v3", "s4", "v9"].randomElement(using: &random) ?? "").utf8)
    switch Int.random(in: (depth > 0 ? -1 : 0)..<(depth > 0 ? 8 : 4), using: &random) {
    case -1:
      let terms = try (0..<12).map { _ in try Self.predicate(depth: 0, using: &random) }
      return random.next() % 2 == 0 ? .any(of: terms) : .all(of: terms)
    case 0, 1: return .equals(key: name, value: value)
    case 2: return .notEquals(key: name, value: value)
    case 3:
      let last = UInt8(48 + random.next() % 10)
      let takesEmpty = random.next() % 2 == 0
      return .matches(key: name, try Regex("[\\x00-\\x{\(String(last, radix: 16))}]$\(takesEmpty ? "|^$" : "")"))
    case 4, 5:
      return .and(try predicate(depth: depth - 1, using: &random), try predicate(depth: depth - 1, using: &random))
    case 6:
      return .or(try predicate(depth: depth - 1, using: &random), try predicate(depth: depth - 1, using: &random))
    default:
      return random.next() % 8 == 0 ? .constant(true) : .not(try predicate(depth: depth - 1, using: &random))
    }
  }

  @Test("many comparisons of one key are one list, which says what each of them would, is shallow, and is kept as comparisons")
  func lists() throws {
    let host = Array("host".utf8)
    let values = (0..<1_000).map { Array("h\($0 * 7 % 1_000)".utf8) } + [[], Array("h7".utf8)]
    let others: [TagPredicate] = [.equals(key: Array("dc".utf8), value: Array("d".utf8)), .matches(key: host, try Regex("^x$"))]
    let any = TagPredicate.any(of: values.map { .equals(key: host, value: $0) } + others)
    let all = TagPredicate.all(of: values.map { .notEquals(key: host, value: $0) } + others.map { .not($0) })
    for (text, dc, wanted) in [
      ("h0", "", true), ("h999", "", true), ("h1000", "", false), ("", "", true), ("h", "", false), ("h07", "", false),
      ("y", "d", true), ("x", "", true), ("xx", "e", false), ("i", "", false), ("A", "", false),
    ] {
      func value(_ key: [UInt8]) -> ArraySlice<UInt8> { Array((key == host ? text : dc).utf8)[...] }
      #expect(any.isSatisfied(value) == wanted && all.isSatisfied(value) != wanted, "\(text) \(dc)")
      let kept = try JSONDecoder().decode(TagPredicate.self, from: JSONEncoder().encode(any))
      #expect(kept.isSatisfied(value) == wanted && kept.depth <= any.depth)
    }
    #expect(any.depth < 20 && TagPredicate.any(of: []) == .constant(false) && TagPredicate.all(of: []) == .constant(true))
    #expect(TagPredicate.any(of: [.constant(true)]) == .constant(true))
  }

  @Test(
    "a tag of more than 4,096 values has an index that finds each value's series; several dictionary blocks")
  func tagIndex() throws {
    let points = (0..<9_000).map { series in
      let host = series % 2 == 0 ? series : series / 3
      return ModelPoint(
        key: SeriesKey(
          measurement: Array("m".utf8),
          tags: [
            (Array("host".utf8), Array("host-\(host)".utf8)), (Array("n".utf8), Array("\(series % 7)".utf8)),
          ]),
        timestamp: Int64(series), fields: ["v": .integer(Int64(series))])
    }
    let model = MemoryRun(points, sequence: 1...1)
    let table = try TableSamples.table(model)
    try table.verify()
    #expect(try dumpTable(table).contains("tag host, index: series by value"))
    #expect(try !dumpTable(table).contains("tag n, index"))
    let all = try model.series(of: Array("m".utf8), where: nil)
    for host in stride(from: 0, to: 9_001, by: 333) {
      let value = Array("host-\(host)".utf8)
      let found = try table.series(of: Array("m".utf8), where: .equals(key: Array("host".utf8), value: value))
      let expected = (0..<all.count).filter { index in
        SeriesKey(validating: Array(all.keyBytes[all.keyRange(index)]))?.value(of: Array("host".utf8))
          .map { $0.elementsEqual(value) } ?? false
      }
      #expect(found.ordinals.map(Int.init) == expected, "host \(host)")
      let others = try #require(
        table.tagValues(
          of: Array("m".utf8), key: Array("n".utf8), where: .equals(key: Array("host".utf8), value: value), countMax: .max) { false })
      #expect(Self.texts(others) == Self.values(of: Array("n".utf8), in: found), "host \(host)")
    }
  }

  @Test("a regular expression picks the series of the values that it matches")
  func matchedValues() throws {
    let points = (0..<3_000).map { series in
      ModelPoint(
        key: SeriesKey(
          measurement: Array("m".utf8),
          tags: [
            (Array("id".utf8), Array("\(series)".utf8)), (Array("zone".utf8), Array("z\(series % 5)".utf8)),
          ]),
        timestamp: 1, fields: ["v": .integer(1)])
    }
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    func count(_ key: String, _ pattern: String) throws -> Int {
      try table.series(of: Array("m".utf8), where: .matches(key: Array(key.utf8), Regex(pattern))).count
    }
    #expect(try count("zone", "2$") == 600)
    #expect(try count("zone", "^z[0-3]$") == 2_400)
    #expect(try count("zone", "^$") == 0)
    #expect(try count("none", "^$") == 3_000)
    #expect(try count("id", "^12") == 111)
  }
}
