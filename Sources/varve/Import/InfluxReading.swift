import LineProtocol
import Query
import Storage

/// Turns the chunks of an answer, as they come, into line protocol.
struct InfluxReading {
  let measurement: String
  let fields: [InfluxMigration.Field]
  private(set) var lines: [UInt8] = []
  private(set) var pointCount = 0
  /// The beginning of a chunk that is not whole yet.
  private var unread: [UInt8] = []

  init(measurement: String, fields: [InfluxMigration.Field]) {
    (self.measurement, self.fields) = (measurement, fields)
  }

  mutating func clear() {
    lines.removeAll(keepingCapacity: true)
    pointCount = 0
  }

  /// Takes the next bytes of the answer: a document a line.
  mutating func take(_ piece: RawSpan) throws {
    let start = unread.count
    unsafe piece.withUnsafeBytes { unsafe unread.append(contentsOf: $0) }
    guard let end = unread[start...].lastIndex(of: 0x0a) else { return }
    let whole = Array(unread[..<end])
    unread.removeFirst(end + 1)
    try read(whole)
  }

  mutating func finish() throws {
    if unread.contains(where: { $0 > 0x20 }) { try read(unread) }
    unread = []
  }

  private mutating func read(_ documents: [UInt8]) throws {
    guard documents.contains(where: { $0 > 0x20 }) else { return }
    let document: ResultDocument
    do {
      document = try ResultDocument(documents)
    } catch {
      throw CommandFailure("an answer that is no result: \(error)")
    }
    if let error = document.error ?? document.results.compactMap(\.error).first {
      throw CommandFailure(error)
    }
    for series in document.results.flatMap(\.series) { try append(series) }
  }

  private mutating func append(_ series: ResultSeries) throws {
    // An absent tag is an empty one in the groups of `GROUP BY *`.
    let tags = series.tags.filter { !$0.value.isEmpty }.map {
      (key: Array($0.key.utf8), value: Array($0.value.utf8))
    }
    let writer = LineWriter(
      key: SeriesKey(measurement: Array(measurement.utf8), tags: tags),
      fields: fields.map { FieldKey(name: Array($0.name.utf8), type: $0.type) })
    guard let times = series.timestamps, series.columns.count == fields.count else {
      throw CommandFailure("an answer of other columns than were asked for: \(series.columnNames)")
    }
    // Taken out while they grow: what gives the values reads this too.
    var lines = self.lines
    self.lines = []
    defer { self.lines = lines }
    for row in 0..<series.rowCount {
      let isWritten = writer.appendLine(timestamp: times[row], to: &lines) {
        value(series.columns[$0], row, fields[$0].type)
      }
      guard isWritten else {
        throw CommandFailure("a point of \(measurement) that line protocol cannot write")
      }
      pointCount += 1
    }
  }

  /// A value as its field's type; JSON says only that it is a number.
  private func value(_ column: Column, _ row: Int, _ type: FieldType) -> LinePrinter.Value? {
    guard column.isPresent(row) else { return nil }
    let word = column.values[row]
    switch (column.key.type, type) {
    case (.string, _): return LinePrinter.Value(string: column.string(row))
    case (.integer, .float):
      return LinePrinter.Value(type: .float, word: Double(Int64(bitPattern: word)).bitPattern)
    case (.unsigned, .float): return LinePrinter.Value(type: .float, word: Double(word).bitPattern)
    default: return LinePrinter.Value(type: type, word: word)
    }
  }
}
