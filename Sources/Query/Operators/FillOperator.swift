import LineProtocol
import Storage

/// Puts values into the buckets of a stream that have none; the stream has a row for each bucket.
struct FillOperator {
  let fill: Fill
  let isCount: Bool
  /// Asked by what takes long, which then fails.
  var isInterrupted: () -> Bool = { false }

  func apply(_ stream: Stream) throws(QueryFailure) -> Stream {
    guard stream.column.presentCount < stream.count, !stream.isEmpty else { return stream }
    switch fill {
    case .null: return isCount ? try filled(stream) { _ in 0 } : stream
    case .none: return stream.droppingNulls()
    case .value(let expression):
      guard let word = Self.word(expression, stream.column.key.type) else { return stream }
      return try filled(stream) { _ in word }
    case .previous: return try previous(stream)
    case .linear: return try linear(stream)
    }
  }

  /// The constant in the stream's type; integers are cut towards zero, and there is no number but false and "".
  static func word(_ expression: Expression, _ type: FieldType) -> UInt64? {
    let value: Double
    switch expression {
    case .integer(let whole):
      if type == .integer { return UInt64(bitPattern: whole) }
      value = Double(whole)
    case .number(let number): value = number
    default: return nil
    }
    switch type {
    case .float: return value.bitPattern
    case .integer: return abs(value) < 0x1p63 ? UInt64(bitPattern: Int64(value)) : nil
    case .unsigned: return value >= 0 && value < 0x1p64 ? UInt64(value) : nil
    case .boolean, .string: return 0
    }
  }

  private func filled(_ stream: Stream, _ word: (Int) -> UInt64?) throws(QueryFailure) -> Stream {
    var check = InterruptCheck(isInterrupted)
    var out = Stream(times: stream.times, column: Column(key: stream.column.key))
    out.auxiliaries = stream.auxiliaries
    out.column.bytes = stream.column.bytes
    for row in 0..<stream.count {
      try check.pass()
      if let value = stream.column.isPresent(row) ? stream.column.values[row] : word(row) {
        out.column.append(word: value, rowCount: row)
      } else {
        out.column.appendNull(rowCount: row)
      }
    }
    return out
  }

  private func previous(_ stream: Stream) throws(QueryFailure) -> Stream {
    var last: UInt64?
    var words: [UInt64?] = []
    for row in 0..<stream.count {
      if stream.column.isPresent(row) { last = stream.column.values[row] }
      words.append(last)
    }
    return try filled(stream) { words[$0] }
  }

  private func linear(_ stream: Stream) throws(QueryFailure) -> Stream {
    let type = stream.column.key.type
    guard type <= .unsigned else { return stream }
    var check = InterruptCheck(isInterrupted)
    let numbers = ValueEvaluator.doubles(stream.column)
    var next = [Int?](repeating: nil, count: stream.count)
    for row in stride(from: stream.count - 2, through: 0, by: -1) {
      next[row] = stream.column.isPresent(row + 1) ? row + 1 : next[row + 1]
    }
    var before: Int?
    var words: [UInt64?] = []
    for row in 0..<stream.count {
      try check.pass()
      if stream.column.isPresent(row) { before = row }
      guard let before, let after = next[row] else {
        words.append(nil)
        continue
      }
      let share = Double(row - before) / Double(after - before)
      let value = numbers[before] + (numbers[after] - numbers[before]) * share
      switch type {
      case .float: words.append(value.bitPattern)
      case .integer: words.append(abs(value) < 0x1p63 ? UInt64(bitPattern: Int64(value)) : nil)
      default: words.append(value >= 0 && value < 0x1p64 ? UInt64(value) : nil)
      }
    }
    return try filled(stream) { words[$0] }
  }
}
