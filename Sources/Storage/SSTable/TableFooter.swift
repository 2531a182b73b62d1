import Coding

/// The last bytes of a table, of fixed size: where its sections begin, and what an open needs to know.
struct TableFooter: Equatable {
  static let byteCount = 112

  /// The list of measurements.
  var directory: BlockHandle
  /// The list of the Bloom filter's blocks.
  var filter: BlockHandle
  var properties: BlockHandle
  /// Length of the whole file.
  var fileByteCount: UInt64
  var rowCount: UInt64
  var seriesCount: UInt32
  var measurementCount: UInt32
  var firstTimestamp: Int64
  var lastTimestamp: Int64
  var firstSequence: UInt64
  var lastSequence: UInt64

  /// The bytes, little-endian; the CRC32C of all before it is the last.
  func encode(to output: inout [UInt8]) {
    let start = output.count
    for handle in [directory, filter, properties] {
      appendLittleEndian(handle.offset, to: &output)
      appendLittleEndian(UInt32(handle.byteCount), to: &output)
    }
    appendLittleEndian(fileByteCount, to: &output)
    appendLittleEndian(rowCount, to: &output)
    appendLittleEndian(seriesCount, to: &output)
    appendLittleEndian(measurementCount, to: &output)
    appendLittleEndian(UInt64(bitPattern: firstTimestamp), to: &output)
    appendLittleEndian(UInt64(bitPattern: lastTimestamp), to: &output)
    appendLittleEndian(firstSequence, to: &output)
    appendLittleEndian(lastSequence, to: &output)
    appendLittleEndian(UInt32(0), to: &output)
    appendLittleEndian(TableFormat.version, to: &output)
    output.append(contentsOf: TableFormat.magic)
    appendLittleEndian(checksum(output[start...]), to: &output)
    precondition(output.count - start == Self.byteCount, "footer of \(output.count - start) bytes")
  }

  /// Reads a footer that lies at `offset` of a file of `fileByteCount` bytes.
  init(decoding bytes: [UInt8], file: String, fileByteCount: UInt64) throws(StorageError) {
    let offset = fileByteCount - UInt64(Self.byteCount)
    func corrupt(_ detail: String) -> StorageError {
      StorageError(.corrupt, file: file, offset: offset, detail)
    }
    guard bytes.count == Self.byteCount else { throw corrupt("expected a footer of \(Self.byteCount) bytes") }
    guard Array(bytes[100..<108]) == TableFormat.magic else {
      throw corrupt("expected the magic number of a table's footer, found \(hexadecimal(bytes[100..<108]))")
    }
    let (expected, found) = (fixed32(bytes, at: 108), checksum(bytes[..<108]))
    guard expected == found else {
      throw corrupt("footer states CRC32C \(hexadecimal(expected)), its bytes have \(hexadecimal(found))")
    }
    let version = fixed32(bytes, at: 96)
    guard version >= 1, version <= TableFormat.version else {
      throw StorageError(
        .unsupportedVersion, file: file, offset: offset + 96,
        "table of format version \(version); this Varve reads 1 to \(TableFormat.version)")
    }
    func handle(_ at: Int) -> BlockHandle {
      BlockHandle(offset: fixed64(bytes, at: at), byteCount: Int(fixed32(bytes, at: at + 8)))
    }
    directory = handle(0)
    filter = handle(12)
    properties = handle(24)
    self.fileByteCount = fixed64(bytes, at: 36)
    rowCount = fixed64(bytes, at: 44)
    seriesCount = fixed32(bytes, at: 52)
    measurementCount = fixed32(bytes, at: 56)
    firstTimestamp = Int64(bitPattern: fixed64(bytes, at: 60))
    lastTimestamp = Int64(bitPattern: fixed64(bytes, at: 68))
    firstSequence = fixed64(bytes, at: 76)
    lastSequence = fixed64(bytes, at: 84)
    guard fixed32(bytes, at: 92) == 0 else { throw corrupt("reserved bytes of the footer are not zero") }
    guard self.fileByteCount == fileByteCount else {
      throw corrupt("footer states a file of \(self.fileByteCount) bytes, found \(fileByteCount)")
    }
    guard firstTimestamp <= lastTimestamp, firstSequence <= lastSequence, rowCount > 0, rowCount < 1 << 60
    else {
      throw corrupt(
        "footer states times \(firstTimestamp)…\(lastTimestamp), batches \(firstSequence)…\(lastSequence)")
    }
  }

  init(
    directory: BlockHandle, filter: BlockHandle, properties: BlockHandle, fileByteCount: UInt64,
    rowCount: UInt64,
    seriesCount: UInt32, measurementCount: UInt32, times: ClosedRange<Int64>, sequences: ClosedRange<UInt64>
  ) {
    self.directory = directory
    self.filter = filter
    self.properties = properties
    self.fileByteCount = fileByteCount
    self.rowCount = rowCount
    self.seriesCount = seriesCount
    self.measurementCount = measurementCount
    firstTimestamp = times.lowerBound
    lastTimestamp = times.upperBound
    firstSequence = sequences.lowerBound
    lastSequence = sequences.upperBound
  }
}

/// The first bytes of a table.
enum TableHeader {
  static func encode(to output: inout [UInt8]) {
    output.append(contentsOf: TableFormat.magic)
    appendLittleEndian(TableFormat.version, to: &output)
    appendLittleEndian(checksum(output[...]), to: &output)
  }

  static func check(_ bytes: [UInt8], file: String) throws(StorageError) {
    guard bytes.count == TableFormat.headerByteCount, Array(bytes[..<8]) == TableFormat.magic else {
      throw StorageError(
        .corrupt, file: file, offset: 0,
        "expected the magic number of a table, found \(hexadecimal(bytes.prefix(8)))")
    }
    let (expected, found) = (fixed32(bytes, at: 12), checksum(bytes[..<12]))
    guard expected == found else {
      throw StorageError(
        .corrupt, file: file, offset: 8,
        "header states CRC32C \(hexadecimal(expected)), its bytes have \(hexadecimal(found))")
    }
    let version = fixed32(bytes, at: 8)
    guard version >= 1, version <= TableFormat.version else {
      throw StorageError(
        .unsupportedVersion, file: file, offset: 8,
        "table of format version \(version); this Varve reads 1 to \(TableFormat.version)")
    }
  }
}

/// A little-endian number at an offset that the caller has checked; the subscript checks it again.
func fixed32(_ bytes: [UInt8], at offset: Int) -> UInt32 {
  (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
}

func fixed64(_ bytes: [UInt8], at offset: Int) -> UInt64 {
  (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
}

/// CRC32C of a slice.
func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  unsafe bytes.withUnsafeBytes { unsafe crc32c($0) }
}

func hexadecimal(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
