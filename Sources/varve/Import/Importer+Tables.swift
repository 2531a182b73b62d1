import LineProtocol
import Query
import Storage

extension Importer {
  /// Brings in the tables of a tar, as `varve export --format sst` writes one: each is looked at whole before a point of it is sent.
  mutating func takeTables(_ file: InputFile) throws {
    var tar = TarReader(file)
    var order = TableOrder()
    while let entry = try tar.next() {
      guard tar.offset > place.offset(of: file.name) else { continue }
      try take(entry, of: file.name, in: &order)
      try place.advance(file.name, to: tar.offset)
      progress.show(file, acceptedCount, rejectedCount)
    }
    try place.finish(file.name)
    progress.clear()
  }

  /// Brings in a file that is a table itself.
  mutating func takeTable(_ file: InputFile) throws {
    let bytes = try file.readAll()
    guard place.offset(of: file.name) < bytes.count else { return }
    var order = TableOrder()
    try take(TarReader.Entry(name: "", bytes: bytes), of: file.name, in: &order)
    try place.finish(file.name)
    progress.clear()
  }

  private mutating func take(_ entry: TarReader.Entry, of file: String, in order: inout TableOrder) throws {
    let name = entry.name.isEmpty ? file : "\(file)(\(entry.name))"
    let table = try LooseTable(name: name, bytes: entry.bytes)
    try order.check(try table.verified(), name)
    let store = try Store.inMemory(tables: [table], database: options.database)
    let request = ExportRequest(database: options.database, format: .line, now: wallNanoseconds())
    // A copy while the export runs: what it calls is kept, and `self` must not be.
    var importer = self
    defer { self = importer }
    var line = 1
    let summary = try withoutActuallyEscaping({ (piece: RawSpan) throws in
      try unsafe piece.withUnsafeBytes { bytes in
        try unsafe importer.send(bytes, line, name)
        line += unsafe bytes.count { $0 == 0x0a }
      }
    }) { try QueryEngine(store: store, isBounded: false).export(request, emit: $0) }
    try store.close()
    if summary.unwritableCount > 0 {
      let reason = "\(summary.unwritableCount) points have names that line protocol cannot write"
      try importer.rejects.add(RefusedLine(line: 1, column: 1, reason: reason), of: name, text: [])
    }
  }
}

/// Sees to it that of two tables with points of one series and time the later one comes later.
private struct TableOrder {
  private var source: String?
  private var lastSequences: [Int64: UInt64] = [:]

  mutating func check(_ table: TableProperties, _ name: String) throws(StorageError) {
    let source = "\(table.database).\(table.policy)"
    if let first = self.source, first != source {
      throw StorageError(.invalid, file: name, "it is of \(source), tables before it of \(first): a tar is of one")
    }
    self.source = source
    if let last = lastSequences[table.windowStart], table.lastSequence < last {
      throw StorageError(
        .invalid, file: name,
        "it holds batches through \(table.lastSequence), a table of its window before it through \(last): later tables must come later"
      )
    }
    lastSequences[table.windowStart] = table.lastSequence
  }
}
