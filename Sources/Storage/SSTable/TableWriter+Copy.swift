import Coding
import LineProtocol

/// A row group of one series as it lies in a table, not decoded, with all that the index says of it.
package struct RawRowGroup: Sendable {
  let source: BlockSource
  let entry: RowGroupEntry
  /// By name and type, those that the group has.
  let columns: [(key: FieldKey, entry: ColumnEntry)]

  package var rowCount: Int { entry.rowCount }
  package var firstTimestamp: Int64 { entry.firstTimestamp }
  package var lastTimestamp: Int64 { entry.lastTimestamp }
  /// Stored bytes of its blocks.
  package var byteCount: Int { columns.reduce(entry.timestampByteCount) { $0 + $1.entry.byteCount } }
}

extension TableReader {
  /// The stretch as a row group to copy, with all its columns whether the reader reads them or not; `nil` where it is cut by
  /// the times or shared by several series.
  package func rawRowGroup() throws(StorageError) -> RawRowGroup? {
    try guarded { () throws(StorageError) in
      guard let span, span.isWhole, let top, let entry = stripe?.groups[span.group] else { return nil }
      var columns: [(key: FieldKey, entry: ColumnEntry)] = []
      for (number, key) in top.fields.enumerated() {
        let column = try entries(of: number, withStatistics: true)[span.group]
        if column.isPresent { columns.append((key, column)) }
      }
      return RawRowGroup(source: table.source, entry: entry, columns: columns)
    }
  }
}

extension TableWriter {
  /// Copies a row group, undecoded, as the next rows of the series under way: they come after those before in time.
  ///
  /// Every block's checksum is looked at on the way, so that damage is met here and not carried on. Rows that wait are written
  /// as a row group first; call it only for groups that are worth that (half full or more).
  package func copyRowGroup(_ group: RawRowGroup) throws(StorageError) {
    try appendOwnGroup(
      first: group.firstTimestamp, last: group.lastTimestamp, rowCount: group.rowCount
    ) { ordinal throws(StorageError) in
      let offset = sink.offset
      try copyBlock(
        BlockHandle(offset: group.entry.offset, byteCount: group.entry.timestampByteCount), from: group.source
      )
      var entries: [(field: Int, entry: ColumnEntry)] = []
      for column in group.columns {
        var entry = column.entry
        entry.relativeOffset = Int(sink.offset - offset)
        try copyBlock(
          BlockHandle(
            offset: group.entry.offset &+ UInt64(column.entry.relativeOffset),
            byteCount: column.entry.byteCount),
          from: group.source)
        entries.append((fields.number(of: column.key), entry))
        properties.valueCount += entry.statistics.count
      }
      var entry = group.entry
      entry.firstSeries = ordinal
      entry.offset = offset
      append(entry, columns: entries)
    }
  }

  private func copyBlock(_ handle: BlockHandle, from source: BlockSource) throws(StorageError) {
    let stored = try source.stored(handle)
    let (expected, found) = (fixed32(stored, at: stored.count - 4), checksum(stored[..<(stored.count - 4)]))
    guard expected == found else {
      throw source.corrupt(
        handle, "block states CRC32C \(hexadecimal(expected)), its bytes have \(hexadecimal(found))")
    }
    try sink.appendRaw(stored, blocks: 1)
  }
}
