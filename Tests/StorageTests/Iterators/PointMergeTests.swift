import LineProtocol
import TestSupport
import Testing

@testable import Storage

/// Rows of several runs beside each other, against a dictionary filled from the lowest run to the highest.
@Suite("Iterators: rows of runs joined")
struct PointMergeTests {
  private struct Input {
    var timestamps: [Int64] = []
    var column: Column
    var rows = 0..<0
  }

  /// Times of a third of a grid in stretches of up to `stretch`, of which some have no value.
  private static func input(_ type: FieldType, stretch: UInt64, _ random: inout SplitMix64) -> Input {
    var input = Input(column: Column(key: FieldKey(name: Array("f".utf8), type: type)))
    let isSparse = random.next() % 2 == 0
    var time: Int64 = 0
    for _ in 0..<random.next() % 12 {
      time += Int64(random.next() % (2 * stretch))
      for _ in 0...random.next() % stretch {
        input.timestamps.append(time)
        time += 1
        if input.timestamps.count % 64 == 1, isSparse { input.column.validity.append(0) }
        guard !isSparse || random.next() % 3 > 0 else {
          input.column.values.append(0)
          continue
        }
        let row = input.timestamps.count - 1
        if isSparse { input.column.validity[row / 64] |= 1 << UInt64(row % 64) }
        input.column.presentCount += 1
        if type == .string {
          let text = Array("text \(random.next() % 1_000)".utf8)
          input.column.values.append(UInt64(input.column.bytes.count) << 32 | UInt64(text.count))
          input.column.bytes += text
        } else {
          input.column.values.append(random.next() >> (random.next() % 2 == 0 ? 0 : 40))
        }
      }
    }
    let first = Int(random.next() % UInt64(input.timestamps.count + 1))
    input.rows = first..<first + Int(random.next() % UInt64(input.timestamps.count - first + 1))
    return input
  }

  @Test("the highest run that has a value wins, whatever the runs' times", arguments: [1, 3, 70, 300] as [UInt64])
  func model(stretch: UInt64) throws {
    var random = SplitMix64(seed: stretch)
    var merge = PointMerge()
    for _ in 0..<200 {
      let isText = random.next() % 4 == 0
      var inputs: [(Input, ValueConversion)] = []
      for _ in 0...random.next() % 12 {
        let stored: FieldType = isText ? .string : random.next() % 2 == 0 ? .unsigned : .integer
        let conversion = ValueConversion(from: stored, to: isText ? .string : .integer, convertsNumbers: true)
        inputs.append((Self.input(stored, stretch: stretch, &random), conversion))
      }
      var column = Column(key: FieldKey(name: Array("f".utf8), type: isText ? .string : .integer))
      merge.align(inputs.map { ($0.0.timestamps, $0.0.rows) })
      merge.clear(&column)
      var times: Set<Int64> = []
      var expected: [Int64: [UInt8]] = [:]
      for (place, (input, conversion)) in inputs.enumerated() {
        try merge.overlay(input.column, of: place, conversion, onto: &column)
        for row in input.rows {
          let time = input.timestamps[row]
          times.insert(time)
          guard input.column.isPresent(row) else { continue }
          expected[time] =
            isText
            ? Array(input.column.string(row)) : conversion.convert(input.column.values[row]).map { Array("\($0)".utf8) }
        }
      }
      merge.settle(&column)
      #expect(merge.timestamps == times.sorted())
      var found: [Int64: [UInt8]] = [:]
      for (row, time) in merge.timestamps.enumerated() where column.isPresent(row) {
        found[time] = isText ? Array(column.string(row)) : Array("\(column.values[row])".utf8)
      }
      #expect(found == expected)
      #expect(column.presentCount == expected.count)
    }
  }
}
