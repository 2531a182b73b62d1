import LineProtocol

/// Where a merge writes: tables one after another, each begun with its first row and ended between two series.
final class TableMergeOutput {
  private let merge: TableMerge
  private var writer: TableWriter?
  private var result = TableMerge.Result()
  /// Names of the files made.
  private var files: [String] = []
  /// The series under way; begun in the writer with its first row.
  private var key: SeriesKey?
  private var pacedByteCount: UInt64 = 0

  init(_ merge: TableMerge) { self.merge = merge }

  func beginSeries(_ key: SeriesKey) { self.key = key }

  func append(_ batch: ColumnBatch) throws(StorageError) {
    guard batch.count > 0 else { return }
    let writer = try currentWriter()
    try writer.append(batch)
    try pace(writer)
  }

  /// Takes whole short series, the first ones of `series` from `index` on.
  func append(_ batch: ShortSeriesBatch, of series: WindowSeries, from index: Int) throws(StorageError) {
    var taken = 0
    while taken < batch.count {
      // A table begins with a row.
      if batch.range(taken).isEmpty {
        taken += 1
        continue
      }
      let writer = try currentWriter()
      taken += try writer.append(batch, from: taken, keys: series.keyBytes) { series.keyRange(index + $0) }
      try pace(writer)
      try endSeries()
    }
  }

  /// Copies a row group as it is, where it is one series' own, whole, and at least half full.
  func copy(_ span: RowGroupSpan, from reader: TableReader) throws(StorageError) -> Bool {
    guard span.rowCount * 2 >= TableFormat.groupRowCountMax else { return false }
    guard let group = try reader.rawRowGroup() else { return false }
    let writer = try currentWriter()
    try writer.copyRowGroup(group)
    result.copiedGroupCount += 1
    try pace(writer)
    return true
  }

  func endSeries() throws(StorageError) {
    key = nil
    guard let writer, writer.isFull else { return }
    try end(writer)
  }

  /// Ends the last table and makes the names of all survive.
  func finish() throws(StorageError) -> TableMerge.Result {
    if let writer { try end(writer) }
    guard let name = files.first else { return result }
    // The folder's own name too: it may be another flush that made it and has not synced it yet.
    let folder = folderName(of: name)
    try merge.fileSystem.syncDirectory(folder)
    try merge.fileSystem.syncDirectory(folderName(of: folder))
    return result
  }

  /// Removes what was written. A file that cannot be removed stays an orphan: no edit names it.
  func abandon() {
    writer = nil
    for name in files {
      do throws(StorageError) {
        try merge.fileSystem.remove(name)
      } catch {
        // The next start sweeps it; the error under way is the one to report.
        continue
      }
    }
  }

  private func end(_ writer: TableWriter) throws(StorageError) {
    let table = try writer.finish()
    result.tables.append(table)
    self.writer = nil
    // The last row group, dictionary and index: of a small table nearly all of it.
    let rest = table.byteCount - pacedByteCount
    pacedByteCount = 0
    try merge.pace(rest)
  }

  /// The writer, at the series under way.
  private func currentWriter() throws(StorageError) -> TableWriter {
    let current: TableWriter
    if let writer { current = writer } else { current = try makeWriter() }
    writer = current
    if let key {
      try current.beginSeries(key)
      self.key = nil
    }
    return current
  }

  private func makeWriter() throws(StorageError) -> TableWriter {
    var identity = merge.identity
    identity.number = merge.takeTableNumber()
    let name = tableFileName(
      keyspace: identity.keyspace, windowStart: identity.window.lowerBound, number: identity.number)
    let folder = folderName(of: name)
    if try !merge.fileSystem.exists(folder) {
      try merge.fileSystem.createDirectory(folder)
      try merge.fileSystem.syncDirectory("")
    }
    let file = try merge.fileSystem.create(name)
    files.append(name)
    return try TableWriter(file: file, identity: identity, options: merge.options)
  }

  private func pace(_ writer: TableWriter) throws(StorageError) {
    let byteCount = writer.byteCount
    try merge.pace(byteCount - pacedByteCount)
    pacedByteCount = byteCount
  }
}
