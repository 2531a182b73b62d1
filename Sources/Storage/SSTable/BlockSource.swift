import Coding
import Synchronization

/// Reads the blocks of one table through the cache: handles are checked against the file, bytes against their checksum.
final class BlockSource: Sendable {
  let file: any StoredFile
  /// Where the footer begins: no block lies beyond.
  let end: UInt64
  private let cache: BlockCache
  private let identifier: UInt64
  private let readByteCount = Atomic<UInt64>(0)
  private let readBlockCount = Atomic<UInt64>(0)

  init(file: any StoredFile, end: UInt64, cache: BlockCache) {
    self.file = file
    self.end = end
    self.cache = cache
    identifier = cache.makeIdentifier()
  }

  /// Read from the file, not found in the cache.
  var bytesRead: UInt64 { readByteCount.load(ordering: .relaxed) }
  var blocksRead: UInt64 { readBlockCount.load(ordering: .relaxed) }

  /// The payload of a block. `isKept` false leaves the cache as it is on a miss: for those who read a file once.
  func block(
    _ handle: BlockHandle, priority: BlockCache.Priority = .low, isKept: Bool = true
  ) throws(StorageError) -> CachedBlock {
    if let cached = cache.block(table: identifier, offset: handle.offset) { return cached }
    let stored = try stored(handle)
    var payload: [UInt8] = []
    do {
      try openBlock(stored.span, into: &payload)
    } catch {
      throw corrupt(handle, "\(error)")
    }
    let block = CachedBlock(payload)
    if isKept { cache.insert(block, table: identifier, offset: handle.offset, priority: priority) }
    return block
  }

  /// What was made of a block before, where the cache holds it still.
  func parsed(_ offset: UInt64, _ kind: ParsedBlock.Kind) -> ParsedBlock? {
    cache.parsed(table: identifier, offset: offset, kind)
  }

  /// Keeps what was made of a block.
  func keep(_ parsed: ParsedBlock, _ offset: UInt64, _ kind: ParsedBlock.Kind) {
    cache.insert(CachedBlock(parsed), table: identifier, offset: kind.key(offset), priority: .low)
  }

  /// A cursor over the payload of a block.
  func reader(
    _ handle: BlockHandle, priority: BlockCache.Priority = .low
  ) throws(StorageError) -> PayloadReader {
    PayloadReader(try block(handle, priority: priority).payload, file: file.name, handle: handle)
  }

  /// The bytes of a block as they lie in the file, unchecked.
  func stored(_ handle: BlockHandle) throws(StorageError) -> [UInt8] {
    let (last, overflow) = handle.offset.addingReportingOverflow(UInt64(handle.byteCount))
    guard handle.byteCount >= TableFormat.trailerByteCount, !overflow, last <= end,
      handle.offset >= UInt64(TableFormat.headerByteCount)
    else {
      throw corrupt(handle, "block of \(handle.byteCount) bytes does not lie before the footer at \(end)")
    }
    if HeldBlocks.areAlone { throw StorageError(.cancelled, file: file.name, offset: handle.offset, "the block is not in memory") }
    readBlockCount.add(1, ordering: .relaxed)
    readByteCount.add(UInt64(handle.byteCount), ordering: .relaxed)
    do throws(StorageError) {
      return try readBytes(of: file, at: handle.offset, count: handle.byteCount)
    } catch where error.code == .io {
      // A disk that refuses once may give it at the second time of asking.
      return try readBytes(of: file, at: handle.offset, count: handle.byteCount)
    }
  }

  /// Appends `rows` of a block that holds one encoded column of `count` words and nothing else.
  func decode(
    _ handle: BlockHandle, kind: ColumnKind, count: Int, rows: Range<Int>, with decoder: inout BlockDecoder,
    into words: inout [UInt64]
  ) throws(StorageError) {
    let payload = try block(handle).payload
    do {
      try decoder.decode(payload.span, kind: kind, count: count, rows: rows, into: &words)
    } catch {
      throw corrupt(handle, "column of \(count) words: \(error)")
    }
  }

  /// Appends `rows` of a dictionary column of `count` words in blocks of 16,384.
  func decode(
    _ run: BlockRun, kind: ColumnKind, count: Int, rows: Range<Int>, with decoder: inout BlockDecoder,
    into words: inout [UInt64]
  ) throws(StorageError) {
    let stripe = TableFormat.stripeCount
    var at = rows.lowerBound
    while at < rows.upperBound {
      let (index, start) = (at / stripe, at / stripe * stripe)
      let end = min(start + stripe, rows.upperBound)
      try decode(
        run.handle(index), kind: kind, count: min(stripe, count - start), rows: at - start..<end - start,
        with: &decoder, into: &words)
      at = end
    }
  }

  func corrupt(_ handle: BlockHandle, _ detail: String) -> StorageError {
    StorageError(.corrupt, file: file.name, offset: handle.offset, detail)
  }
}
