import LineProtocol
import Query
import Storage

/// A value of a column in a test.
enum Cell: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  case float(Double), integer(Int64), unsigned(UInt64), boolean(Bool), string(String), absent

  init(floatLiteral value: Double) { self = .float(value) }
  init(integerLiteral value: Int64) { self = .integer(value) }
  init(stringLiteral value: String) { self = .string(value) }
  init(booleanLiteral value: Bool) { self = .boolean(value) }
  init(nilLiteral: ()) { self = .absent }
}

extension Column {
  /// A column of one type, by its first value that is there.
  init(_ cells: [Cell]) {
    var type = FieldType.float
    for cell in cells.reversed() {
      switch cell {
      case .float: type = .float
      case .integer: type = .integer
      case .unsigned: type = .unsigned
      case .boolean: type = .boolean
      case .string: type = .string
      case .absent: break
      }
    }
    self.init(key: FieldKey(name: [], type: type))
    validity = [UInt64](repeating: 0, count: (cells.count + 63) / 64)
    for (row, cell) in cells.enumerated() {
      var word: UInt64 = 0
      switch cell {
      case .float(let value): word = value.bitPattern
      case .integer(let value): word = UInt64(bitPattern: value)
      case .unsigned(let value): word = value
      case .boolean(let value): word = value ? 1 : 0
      case .string(let value):
        word = UInt64(bytes.count) << 32 | UInt64(value.utf8.count)
        bytes.append(contentsOf: value.utf8)
      case .absent:
        values.append(0)
        continue
      }
      values.append(word)
      validity[row >> 6] |= 1 << UInt64(row & 63)
      presentCount += 1
    }
    if presentCount == cells.count { validity = [] }
  }
}

extension ResultSeries {
  init(
    _ name: String, tags: [(key: String, value: String)] = [], times: [Int64]?,
    _ columns: KeyValuePairs<String, [Cell]>
  ) {
    self.init(
      name: name, tags: tags, columnNames: (times == nil ? [] : ["time"]) + columns.map(\.key),
      timestamps: times,
      columns: columns.map { Column($0.value) }, rowCount: columns.first?.value.count ?? 0)
  }
}

func result(_ id: Int = 0, _ series: ResultSeries...) -> StatementResult {
  var result = StatementResult(statementID: id)
  result.series = series
  return result
}

/// What a format makes of some answers.
func rendered(
  _ results: [StatementResult], _ format: ResultFormat, _ options: RenderOptions = RenderOptions()
) -> String {
  var renderer = format.makeRenderer(options)
  var out: [UInt8] = []
  renderer.begin(into: &out)
  for result in results { renderer.append(result, into: &out) }
  renderer.finish(into: &out)
  return String(decoding: out, as: UTF8.self)
}
