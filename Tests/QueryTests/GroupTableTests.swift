import LineProtocol
import TestSupport
import Testing

@testable import Query

@Suite("Groups of a statement")
struct GroupTableTests {
  /// Values that begin alike, are parts of one another, or have zeros at their ends.
  private static func value(_ random: inout SplitMix64) -> [UInt8] {
    let start = [[], Array("host_".utf8), Array("a-long-beginning-".utf8), [0]][Int(random.next() % 4)]
    return start + (0..<random.next() % 6).map { _ in [0, 1, 0x30, 0x31, 0xff][Int(random.next() % 5)] }
  }

  /// The tags of a series that has these values of `a`, `b`, … and another tag.
  private static func tags(_ values: [[UInt8]]) -> SeriesTags {
    let tags = values.enumerated().map { (key: [0x61 + UInt8($0)], value: $1) } + [(key: Array("z".utf8), value: Array("other".utf8))]
    return SeriesTags(SeriesKey(measurement: Array("m".utf8), tags: tags).bytes)
  }

  @Test("groups come in the order of their values, one number for the same values", arguments: 0...3)
  func order(tagCount: Int) throws {
    var random = SplitMix64(seed: UInt64(tagCount))
    for _ in 0..<20 {
      var table = GroupTable(tagKeys: (0..<tagCount).map { [0x61 + UInt8($0)] })
      var numbers: [[[UInt8]]: Int] = [:]
      var other = table
      for _ in 0..<random.next() % 300 {
        let values = (0..<tagCount).map { _ in Self.value(&random) }
        // Met here, or met there and taken over.
        let isElsewhere = random.next() % 4 == 0
        let number =
          isElsewhere ? table.number(of: other.number(of: Self.tags(values)), in: other) : table.number(of: Self.tags(values))
        #expect(numbers[values, default: number] == number)
        numbers[values] = number
        #expect(table.values(number) == values)
      }
      #expect(table.count == numbers.count)
      let expected = numbers.sorted { a, b in
        for (x, y) in zip(a.key, b.key) where x != y { return x.lexicographicallyPrecedes(y) }
        return false
      }
      #expect(try table.sorted(unless: { false }) == expected.map(\.value))
    }
  }

  @Test("things are numbered as they are met, whether they are few or many")
  func places() {
    var places = PlaceList<String>()
    var met: [String] = []
    for number in 0..<PlaceList<String>.listedCountMax * 3 {
      let new = "name \(number)"
      #expect(places.place(of: new) == nil)
      met.append(new)
      for (place, name) in met.enumerated() { #expect(places.place(of: name) == place) }
    }
  }
}
