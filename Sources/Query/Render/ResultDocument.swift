import LineProtocol
import Storage

/// Reads the document that `JSONRenderer` writes, whole or in chunks, back into answers.
///
/// Times must have been asked for in nanoseconds. Types come from the document where it says them; else a column of whole
/// numbers is of integers, one with any other number of floats.
public struct ResultDocument: Sendable {
  public private(set) var results: [StatementResult] = []
  /// Why the server ran nothing.
  public private(set) var error: String?
  /// The rows of the last series go on in another document.
  public private(set) var isSeriesOpen = false

  /// Reads one document, or several one after another.
  ///
  /// - Throws: `JSONSyntaxError` with the offset where the bytes are not such a document.
  public init(_ bytes: [UInt8]) throws(JSONSyntaxError) {
    var reader = JSONReader(bytes)
    repeat {
      try reader.readObject { key, reader throws(JSONSyntaxError) in
        switch key {
        case "error": error = try reader.readString()
        case "results":
          try reader.readArray { reader throws(JSONSyntaxError) in add(try readResult(&reader)) }
        default: try reader.skipValue()
        }
      }
    } while !reader.isAtEnd
  }

  /// Takes an answer, or joins it to the one it continues.
  private mutating func add(_ result: StatementResult) {
    guard let last = results.indices.last, results[last].statementID == result.statementID else {
      return results.append(result)
    }
    // In chunks "partial" says that more follows: the last one's word stands.
    results[last].isPartial = result.isPartial
    results[last].messages += result.messages
    if results[last].error == nil { (results[last].error, results[last].errorPlace) = (result.error, result.errorPlace) }
    for series in result.series {
      if let previous = results[last].series.last, previous.continues(with: series) {
        results[last].series[results[last].series.count - 1].append(series)
      } else {
        results[last].series.append(series)
      }
    }
  }

  private mutating func readResult(_ reader: inout JSONReader) throws(JSONSyntaxError) -> StatementResult {
    var result = StatementResult(statementID: 0)
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      switch key {
      case "statement_id": result.statementID = Int(try reader.readNumber().integer ?? 0)
      case "series":
        try reader.readArray { reader throws(JSONSyntaxError) in
          let (series, isPartial) = try Self.readSeries(&reader)
          result.series.append(series)
          isSeriesOpen = isPartial
        }
      case "messages":
        try reader.readArray { reader throws(JSONSyntaxError) in
          result.messages.append(try Self.readMessage(&reader))
        }
      case "error": result.error = try reader.readString()
      case "at": result.errorPlace = try reader.readString()
      case "partial": result.isPartial = try reader.readBoolean()
      case "tz": result.timeZone = try reader.readString()
      case "several": result.hasSeveralNames = try reader.readBoolean()
      default: try reader.skipValue()
      }
    }
    return result
  }

  private static func readMessage(_ reader: inout JSONReader) throws(JSONSyntaxError) -> ResultMessage {
    var message = ResultMessage(level: "", text: "")
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      switch key {
      case "level": message.level = try reader.readString()
      case "text": message.text = try reader.readString()
      default: try reader.skipValue()
      }
    }
    return message
  }

  private static func readSeries(
    _ reader: inout JSONReader
  ) throws(JSONSyntaxError) -> (ResultSeries, isPartial: Bool) {
    var isPartial = false
    var (name, tags, types, names) = ("", [(key: String, value: String)](), [String](), [String]())
    var builders: [ColumnBuilder] = []
    var rowCount = 0
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      switch key {
      case "name": name = try reader.readString()
      case "tags":
        try reader.readObject { key, reader throws(JSONSyntaxError) in
          tags.append((key, try reader.readString()))
        }
      case "columns":
        try reader.readArray { reader throws(JSONSyntaxError) in names.append(try reader.readString()) }
      case "types":
        try reader.readArray { reader throws(JSONSyntaxError) in types.append(try reader.readString()) }
      case "values":
        builders = names.indices.map {
          ColumnBuilder(type: $0 < types.count ? FieldType(named: types[$0]) : nil)
        }
        try reader.readArray { reader throws(JSONSyntaxError) in
          try readRow(&reader, into: &builders)
          rowCount += 1
        }
      case "partial": isPartial = try reader.readBoolean()
      default: try reader.skipValue()
      }
    }
    if builders.isEmpty { builders = names.map { _ in ColumnBuilder(type: nil) } }
    let hasTime =
      types.isEmpty ? names.first == "time" && builders.first?.isIntegral == true : types.first == "time"
    var columns = zip(names, builders).map { $1.column(named: $0) }
    let timestamps = hasTime ? columns.removeFirst().values.map { Int64(bitPattern: $0) } : nil
    let series = ResultSeries(
      name: name, tags: tags, columnNames: names, timestamps: timestamps, columns: columns, rowCount: rowCount)
    return (series, isPartial)
  }

  private static func readRow(
    _ reader: inout JSONReader, into builders: inout [ColumnBuilder]
  ) throws(JSONSyntaxError) {
    var index = 0
    try reader.readArray { reader throws(JSONSyntaxError) in
      guard index < builders.count else { throw reader.error("a row is longer than its columns") }
      try builders[index].append(&reader)
      index += 1
    }
    guard index == builders.count else { throw reader.error("a row is shorter than its columns") }
  }
}

/// A column that grows by JSON values.
private struct ColumnBuilder {
  private let type: FieldType?
  private var column = Column(key: FieldKey(name: [], type: .float))
  private var rowCount = 0
  private(set) var isIntegral = true
  private var hasText = false
  private var hasBoolean = false

  init(type: FieldType?) { self.type = type }

  mutating func append(_ reader: inout JSONReader) throws(JSONSyntaxError) {
    if rowCount & 63 == 0 { column.validity.append(0) }
    defer { rowCount += 1 }
    switch try reader.peek() {
    case UInt8(ascii: "n"):
      try reader.skipValue()
      column.values.append(0)
      return
    case UInt8(ascii: "\""):
      let start = column.bytes.count
      try reader.readString(into: &column.bytes)
      column.values.append(UInt64(start) << 32 | UInt64(column.bytes.count - start))
      hasText = true
      isIntegral = false
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      column.values.append(try reader.readBoolean() ? 1 : 0)
      hasBoolean = true
      isIntegral = false
    default: append(try reader.readNumber())
    }
    column.validity[rowCount >> 6] |= 1 << UInt64(rowCount & 63)
    column.presentCount += 1
  }

  private mutating func append(_ number: JSONNumber) {
    switch type {
    case .float: return column.values.append(number.double.bitPattern)
    case .unsigned: return column.values.append(number.unsigned ?? 0)
    case .integer, .boolean, .string: return column.values.append(UInt64(bitPattern: number.integer ?? 0))
    case nil: break
    }
    if isIntegral, let value = number.integer { return column.values.append(UInt64(bitPattern: value)) }
    if isIntegral {
      // The first that is not whole: what came before was floats too.
      for row in 0..<rowCount where column.isPresent(row) {
        column.values[row] = Double(Int64(bitPattern: column.values[row])).bitPattern
      }
      isIntegral = false
    }
    column.values.append(number.double.bitPattern)
  }

  func column(named name: String) -> Column {
    var column = column
    let guessed: FieldType = hasText ? .string : hasBoolean ? .boolean : isIntegral ? .integer : .float
    column.key = FieldKey(name: Array(name.utf8), type: type ?? guessed)
    if column.presentCount == rowCount { column.validity = [] }
    return column
  }
}

extension ResultSeries {
  /// Whether another piece belongs to the same series.
  fileprivate func continues(with next: ResultSeries) -> Bool {
    name == next.name && columnNames == next.columnNames && tags.elementsEqual(next.tags) { $0 == $1 }
      && (timestamps == nil) == (next.timestamps == nil)
      && zip(columns, next.columns).allSatisfy { $0.key.type == $1.key.type }
  }

  /// Takes the rows of another piece.
  fileprivate mutating func append(_ next: ResultSeries) {
    timestamps? += next.timestamps ?? []
    for index in columns.indices {
      columns[index].append(next.columns[index], at: rowCount, count: next.rowCount)
    }
    rowCount += next.rowCount
  }
}

extension Column {
  fileprivate mutating func append(_ next: Column, at rowCount: Int, count: Int) {
    var joined = [UInt64](repeating: 0, count: (rowCount + count + 63) / 64)
    for row in 0..<rowCount where isPresent(row) { joined[row >> 6] |= 1 << UInt64(row & 63) }
    for row in 0..<count where next.isPresent(row) {
      joined[(rowCount + row) >> 6] |= 1 << UInt64((rowCount + row) & 63)
    }
    let base = UInt64(bytes.count) << 32
    values += key.type == .string ? next.values.map { $0 &+ base } : next.values
    bytes += next.bytes
    presentCount += next.presentCount
    validity = presentCount == rowCount + count ? [] : joined
  }
}
