import LineProtocol
import Storage

/// Writes what scans find as tables, and hands them on as the files of a tar.
///
/// Each table is a run of its own, numbered from 1, since no point is in two: so one may end anywhere, and memory holds one of bounded
/// length. Windows come one after another, in each the measurements in order. Tables of a store that are wanted whole go in as they are.
final class TableExportSink: ScanSink {
  private let emit: (RawSpan) throws -> Void
  private(set) var summary = ExportSummary()
  private var identity: TableIdentity
  private let options: TableOptions
  private var open: (writer: TableWriter, file: any StoredFile)?
  /// The series under way; `nil` once the writer knows it.
  private var key: SeriesKey?
  /// The series under way, for a table that begins in the midst of it.
  private var lastKey: SeriesKey?
  private var columns: [FieldKey] = []

  /// Bytes of a table beyond which the next one begins.
  static let tableByteCountMax: UInt64 = 16 << 20

  init(database: String, byteCountMax: UInt64 = tableByteCountMax, emit: @escaping (RawSpan) throws -> Void) {
    self.emit = emit
    var options = TableOptions()
    options.byteCountTarget = byteCountMax
    self.options = options
    identity = TableIdentity(
      number: 0, keyspace: KeyspaceID(0), database: database, policy: "", window: 0..<1, sequenceRange: 0...0,
      horizon: .min)
  }

  func begin(_ policy: PolicyDescription, window: Range<Int64>) throws {
    try endTable()
    (identity.policy, identity.keyspace, identity.window) = (policy.name, policy.keyspace, window)
  }

  /// A measurement of the window begins.
  ///
  /// - Parameter columns: those that points have; the condition's may stand behind them.
  func begin(columns: [ScanColumn]) { self.columns = columns.map { FieldKey(name: $0.name, type: $0.type) } }

  /// Ends the last table, and the tar.
  func finish() throws {
    try endTable()
    try hand(TarHeader.end)
  }

  /// A table of the window as it lies on the disk. Of one window there are such tables alone, or none.
  func copy(_ table: Table) throws {
    identity.number += 1
    let byteCount = Int(table.state.byteCount)
    try hand(header(byteCount: byteCount))
    try table.readStored(emit)
    try hand(padding(byteCount: byteCount))
    summary.pointCount += table.rowCount
  }

  // MARK: ScanSink

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    if let writer = open?.writer, isFull(writer) { try endTable() }
    key = tags.key
    lastKey = key
    return true
  }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    let chosen = batch.chosen(0..<columns.count, selection)
    var rows: [Int]?
    if let chosen {
      rows = (0..<batch.count).filter { chosen[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 }
      if rows?.isEmpty == true { return true }
    }
    let writer = try currentWriter()
    let part = rows == nil && batch.columns.count == columns.count ? copy batch : self.part(batch, rows: rows)
    try writer.append(part)
    summary.pointCount += part.count
    if isFull(writer) { try endTable() }
    return true
  }

  // MARK: Tables

  /// Some rows of the columns that points have.
  private func part(_ batch: borrowing ColumnBatch, rows: [Int]?) -> ColumnBatch {
    var part = ColumnBatch(fields: columns)
    part.timestamps = rows.map { $0.map { batch.timestamps[$0] } } ?? batch.timestamps
    for index in columns.indices {
      part.columns[index].append(batch.columns[index], rows: rows, rowCount: 0, added: part.count)
      if rows != nil { part.columns[index].compactStrings() }
    }
    return part
  }

  private func isFull(_ writer: TableWriter) -> Bool {
    writer.byteCount >= options.byteCountTarget || writer.seriesCount >= options.seriesCountTarget
  }

  /// The writer, at the series under way.
  private func currentWriter() throws -> TableWriter {
    if open == nil {
      let number = identity.number + 1
      (identity.number, identity.sequenceRange) = (number, number...number)
      let file = try MemoryFileSystem().create("table.sst")
      open = (try TableWriter(file: file, identity: identity, options: options), file)
      key = lastKey
    }
    guard let writer = open?.writer else { throw QueryFailure("no table is open") }
    if let key { try writer.beginSeries(key) }
    key = nil
    return writer
  }

  private func endTable() throws {
    guard let (writer, file) = open else { return }
    open = nil
    _ = try writer.finish()
    let bytes = try file.readAll()
    try hand(header(byteCount: bytes.count))
    try hand(bytes)
    try hand(padding(byteCount: bytes.count))
  }

  /// What stands before the present table, and behind it.
  private func header(byteCount: Int) -> [UInt8] {
    let name = tableFileName(
      keyspace: identity.keyspace, windowStart: identity.window.lowerBound, number: identity.number)
    return TarHeader(name: name, fileByteCount: byteCount).encode()
  }

  private func padding(byteCount: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: TarHeader.paddingByteCount(of: byteCount))
  }

  /// Hands bytes on in pieces of the length that text has.
  private func hand(_ bytes: [UInt8]) throws {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + 1 << 18)
      // Bytes have no padding that could show.
      try emit(unsafe bytes.span.extracting(start..<end).bytes)
      start = end
    }
  }
}

extension Column {
  /// Forgets the bytes of strings that no row has.
  fileprivate mutating func compactStrings() {
    guard key.type == .string, presentCount > 0 else { return }
    var kept: [UInt8] = []
    for index in values.indices where isPresent(index) {
      let text = string(index)
      values[index] = UInt64(kept.count) << 32 | UInt64(text.count)
      kept += text
    }
    bytes = kept
  }
}
