import Coding

extension Table {
  /// Bytes that are handed on at a time, where a block is not larger.
  private static let pieceByteCount: UInt64 = 1 << 18

  /// Hands on the file as it lies on the disk, piece by piece, from its first byte to its last. No byte of a block is handed on before the
  /// checksum of the block was found right.
  ///
  /// Costs the read and the checksums: no value is decoded, and the cache stays as it is. Throws `.corrupt` with file and offset, and what
  /// `take` throws.
  package func readStored(_ take: (RawSpan) throws -> Void) throws {
    let blocks = try blocks()
    try checkExtents(blocks)
    let header = try readBytes(of: source.file, at: 0, count: TableFormat.headerByteCount)
    // Bytes have no padding that could show.
    try unsafe take(header.span.bytes)
    var index = 0
    while index < blocks.count {
      let first = index
      let start = blocks[first].handle.offset
      repeat { index += 1 } while index < blocks.count && blocks[index].handle.end - start <= Self.pieceByteCount
      let bytes = try readBytes(of: source.file, at: start, count: Int(blocks[index - 1].handle.end - start))
      for block in blocks[first..<index] { try check(block.handle, in: bytes, from: start) }
      try unsafe take(bytes.span.bytes)
    }
    let footer = try readBytes(of: source.file, at: source.end, count: TableFooter.byteCount)
    _ = try TableFooter(decoding: footer, file: name, fileByteCount: state.byteCount)
    try unsafe take(footer.span.bytes)
  }

  /// Blocks reach from the header to the footer without a gap.
  func checkExtents(_ blocks: [TableBlock]) throws(StorageError) {
    var end = UInt64(TableFormat.headerByteCount)
    for block in blocks {
      guard block.handle.offset == end else {
        throw source.corrupt(
          block.handle, "expected a block at \(end), found the next at \(block.handle.offset)")
      }
      end = block.handle.end
    }
    guard end == source.end else {
      throw source.corrupt(footer.properties, "blocks end at \(end), the footer begins at \(source.end)")
    }
  }

  /// Whether the checksum of a block among bytes of the file is right.
  private func check(_ handle: BlockHandle, in bytes: [UInt8], from start: UInt64) throws(StorageError) {
    let range = Int(handle.offset - start)..<Int(handle.end - start)
    do throws(CodingError) {
      try checkBlock(bytes.span.extracting(range))
    } catch {
      throw source.corrupt(handle, "\(error)")
    }
  }
}
