import Storage

/// Hands what a scan finds to a writer, and the text on whenever much of it is gathered.
final class ExportSink<Writer: ExportWriter>: ScanSink {
  private var writer: Writer
  private var out = TextBuffer(capacity: byteCountMax + 1 << 16)
  private let emit: (RawSpan) throws -> Void
  private(set) var summary = ExportSummary()
  /// The scan's columns that points have; those behind them only the condition reads.
  private var columnCount = 0
  /// Text is handed on when there is so much of it.
  private static var byteCountMax: Int { 1 << 18 }

  init(_ writer: Writer, emit: @escaping (RawSpan) throws -> Void) {
    self.writer = writer
    self.emit = emit
  }

  func begin(measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn]) {
    columnCount = columns.count
    writer.begin(measurement: measurement, tagKeys: tagKeys, columns: columns, into: &out)
  }

  /// Text that belongs between points.
  func append(_ text: String) {
    let bytes = Array(text.utf8)
    out.reserve(bytes.count)
    out.append(bytes)
  }

  func flush() throws {
    try out.withBytes(emit)
    out.removeAll()
  }

  // MARK: ScanSink

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    writer.begin(series: tags)
    return true
  }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    let counts = writer.append(batch, chosen: batch.chosen(0..<columnCount, selection), into: &out)
    summary.pointCount += counts.written
    summary.unwritableCount += counts.unwritable
    if out.count >= Self.byteCountMax { try flush() }
    return true
  }
}
