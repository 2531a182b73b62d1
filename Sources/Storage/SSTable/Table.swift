package import LineProtocol
import Synchronization

/// A table opened for reading: immutable, safe from several threads. Blocks are read when asked for, through the cache.
package final class Table: SortedRun, Sendable {
  let footer: TableFooter
  let source: BlockSource
  package let state: TableState
  private let filterSkipCount = Atomic<UInt64>(0)
  /// The measurement asked for last: its top, decoded.
  private let lastTop = Lock<MeasurementTop?>(nil)
  /// What reading has met so far that is damaged.
  let damages = TableDamages()

  /// Opens a table; reads header and footer only.
  ///
  /// `.corrupt` where they are damaged or not what `state` says, `.unsupportedVersion` where a newer Varve wrote it.
  package static func open(
    file: any StoredFile, state: TableState, cache: BlockCache
  ) throws(StorageError) -> Table {
    let table = try open(file: file, number: state.number, cache: cache)
    guard table.state == state else {
      throw StorageError(.corrupt, file: file.name, "expected \(state), found \(table.state)")
    }
    return table
  }

  /// Opens a table of which only the number is known: what the manifest should say is then `state`.
  package static func open(file: any StoredFile, number: UInt64, cache: BlockCache) throws(StorageError)
    -> Table
  {
    let byteCount = try file.byteCount()
    guard byteCount >= UInt64(TableFormat.headerByteCount + TableFooter.byteCount) else {
      throw StorageError(
        .corrupt, file: file.name, offset: byteCount, "file of \(byteCount) bytes is too short for a table")
    }
    try TableHeader.check(try readBytes(of: file, at: 0, count: TableFormat.headerByteCount), file: file.name)
    let offset = byteCount - UInt64(TableFooter.byteCount)
    let footer = try TableFooter(
      decoding: try readBytes(of: file, at: offset, count: TableFooter.byteCount), file: file.name,
      fileByteCount: byteCount)
    return Table(file: file, number: number, footer: footer, cache: cache)
  }

  init(file: any StoredFile, number: UInt64, footer: TableFooter, cache: BlockCache) {
    self.footer = footer
    state = TableState(
      number: number, byteCount: footer.fileByteCount, rowCount: Int(footer.rowCount),
      seriesCount: Int(footer.seriesCount), firstTimestamp: footer.firstTimestamp,
      lastTimestamp: footer.lastTimestamp)
    source = BlockSource(
      file: file, end: footer.fileByteCount - UInt64(TableFooter.byteCount), cache: cache)
  }

  /// The file's name, relative to the store's directory.
  package var name: String { source.file.name }
  package var sequenceRange: ClosedRange<UInt64> { footer.firstSequence...footer.lastSequence }
  package var timeRange: ClosedRange<Int64> { footer.firstTimestamp...footer.lastTimestamp }
  package var rowCount: Int { state.rowCount }
  /// Bytes and blocks that were read from the file, not found in the cache, since it was opened.
  package var bytesRead: UInt64 { source.bytesRead }
  package var blocksRead: UInt64 { source.blocksRead }
  package var tableByteCount: UInt64? { state.byteCount }
  /// Questions that the Bloom filter answered: nothing else was read.
  package var filterSkips: UInt64 { filterSkipCount.load(ordering: .relaxed) }

  /// What the table says of itself.
  package func properties() throws(StorageError) -> TableProperties {
    try TableProperties(decoding: try source.reader(footer.properties))
  }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    try top(of: measurement)?.fields ?? []
  }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    try top(of: measurement)?.tagKeys.map(\.name) ?? []
  }

  package func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList? {
    guard let top = try top(of: measurement), let index = top.tagKeys.firstIndex(where: { $0.name == key }) else {
      return TagValueList()
    }
    guard let predicate else {
      var values = TagValues(source: source, top: top, key: index)
      return try values.list(countMax: countMax)
    }
    var selection = SeriesSelection(table: self, top: top)
    let choice = try selection.chosen(by: predicate)
    if case .notByFilter = choice { filterSkipCount.wrappingAdd(1, ordering: .relaxed) }
    guard case .set(let set) = choice else { return TagValueList() }
    return try selection.values(of: index, in: set, countMax: countMax, isCancelled: isCancelled)
  }

  package func series(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> SeriesList {
    guard let top = try top(of: measurement) else { return SeriesList() }
    var selection = SeriesSelection(table: self, top: top)
    let list = try selection.list(where: predicate)
    if list.isSkippedByFilter { filterSkipCount.wrappingAdd(1, ordering: .relaxed) }
    return list
  }

  package var seriesCountMax: Int { state.seriesCount }

  package func seriesCursor(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> any SeriesCursor {
    guard let top = try top(of: measurement) else { return WholeListCursor(SeriesList()) }
    let cursor = try TableSeriesCursor(SeriesSelection(table: self, top: top), where: predicate)
    if cursor.isSkippedByFilter { filterSkipCount.wrappingAdd(1, ordering: .relaxed) }
    return cursor
  }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    TableReader(table: self, measurement: measurement, fields: fields, isKept: true)
  }

  /// A reader for a merge: what it reads does not enter the block cache.
  package func makeStreamingReader(of measurement: [UInt8], fields: [FieldKey]) -> TableReader {
    TableReader(table: self, measurement: measurement, fields: fields, isKept: false)
  }

  /// The root of a measurement, `nil` if it is not here.
  func top(of measurement: [UInt8]) throws(StorageError) -> MeasurementTop? {
    if let last = lastTop.withLock({ $0 }), last.name == measurement { return last }
    guard let handle = try handle(of: measurement) else { return nil }
    let top = try top(at: handle)
    guard top.name == measurement else {
      throw source.corrupt(handle, "measurement's name is not that of the directory")
    }
    lastTop.withLock { $0 = top }
    return top
  }

  func top(at handle: BlockHandle) throws(StorageError) -> MeasurementTop {
    var reader = try source.reader(handle, priority: .high)
    let top = try MeasurementTop(decoding: &reader)
    guard UInt64(top.seriesCount) <= UInt64(footer.seriesCount), UInt64(top.rowCount) <= footer.rowCount
    else {
      throw source.corrupt(
        handle,
        "\(top.seriesCount) series with \(top.rowCount) rows in a table of \(footer.seriesCount) and \(footer.rowCount)"
      )
    }
    return top
  }
}
