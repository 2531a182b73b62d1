import Coding

extension TableFooter {
  /// How far before the footer the two small blocks are looked for that stand there.
  private static let searchByteCountMax = 64 << 10

  /// Opens a table whose header or footer may be damaged: the footer is made again from the blocks before it, which carry their own
  /// checksums, and from what the manifest says.
  static func openRecovering(
    file: any StoredFile, state: TableState, cache: BlockCache
  ) throws(StorageError) -> Table {
    do throws(StorageError) {
      return try Table.open(file: file, state: state, cache: cache)
    } catch {
      guard error.code == .corrupt, try file.byteCount() == state.byteCount,
        let footer = try recovered(from: file, state: state)
      else { throw error }
      return Table(file: file, number: state.number, footer: footer, cache: cache)
    }
  }

  private static func recovered(from file: any StoredFile, state: TableState) throws(StorageError)
    -> TableFooter?
  {
    let end = state.byteCount - UInt64(byteCount)
    guard end < state.byteCount, let properties = try block(endingAt: end, in: file),
      let list = try block(endingAt: properties.offset, in: file)
    else { return nil }
    // The filter's list says where its blocks begin, and the directory's list ends there.
    var reader = PayloadReader(try opened(list, in: file), file: file.name, handle: list)
    _ = try reader.count("blocks")
    guard let directory = try block(endingAt: try reader.varint(), in: file) else { return nil }
    let words = PayloadReader(try opened(properties, in: file), file: file.name, handle: properties)
    let stated = try TableProperties(decoding: words)
    // Not its number: a restored table says the one that it was written under.
    guard stated.firstTimestamp == state.firstTimestamp, stated.lastTimestamp == state.lastTimestamp,
      stated.rowCount == state.rowCount, stated.seriesCount == state.seriesCount,
      stated.firstSequence <= stated.lastSequence, stated.rowCount >= 0
    else { return nil }
    return TableFooter(
      directory: directory, filter: list, properties: properties, fileByteCount: state.byteCount,
      rowCount: UInt64(stated.rowCount), seriesCount: UInt32(clamping: stated.seriesCount),
      measurementCount: UInt32(clamping: stated.measurementCount),
      times: state.firstTimestamp...state.lastTimestamp, sequences: stated.firstSequence...stated.lastSequence
    )
  }

  private static func opened(_ handle: BlockHandle, in file: any StoredFile) throws(StorageError) -> [UInt8] {
    let stored = try readBytes(of: file, at: handle.offset, count: handle.byteCount)
    var payload: [UInt8] = []
    do throws(CodingError) {
      try openBlock(stored.span, into: &payload)
    } catch {
      throw StorageError(.corrupt, file: file.name, offset: handle.offset, "\(error)")
    }
    return payload
  }

  /// The block that ends at an offset: the shortest stretch whose checksum holds.
  private static func block(endingAt end: UInt64, in file: any StoredFile) throws(StorageError)
    -> BlockHandle?
  {
    let header = UInt64(TableFormat.headerByteCount)
    guard end > header, end < (try file.byteCount()) else { return nil }
    let searched = Int(min(end - header, UInt64(searchByteCountMax)))
    let bytes = try readBytes(of: file, at: end - UInt64(searched), count: searched)
    guard searched > TableFormat.trailerByteCount else { return nil }
    for byteCount in (TableFormat.trailerByteCount + 1)...searched {
      var payload: [UInt8] = []
      do {
        try openBlock(bytes.span.extracting((searched - byteCount)..<searched), into: &payload)
      } catch { continue }
      return BlockHandle(offset: end - UInt64(byteCount), byteCount: byteCount)
    }
    return nil
  }
}
