import Query

/// Reads the tables of a tar, one after another, each whole into memory.
struct TarReader {
  struct Entry {
    var name: String
    var bytes: [UInt8]
  }

  private let file: InputFile
  /// Bytes of the tar, uncompressed, up to the end of the last entry.
  private(set) var offset = 0
  private var hasTables = false
  private var hasOthers = false

  init(_ file: InputFile) { self.file = file }

  /// Whether a name says that a file is a tar.
  static func isNamed(_ name: String) -> Bool {
    [".tar", ".tar.gz", ".tgz"].contains { name.hasSuffix($0) }
  }

  /// The next file whose name ends in `.sst`; `nil` behind the last one.
  ///
  /// - Throws: `CommandFailure` for what is no tar, is damaged, or has no end.
  mutating func next() throws -> Entry? {
    while true {
      let block = try take(TarHeader.byteCount)
      if block.allSatisfy({ $0 == 0 }) {
        try readEnd()
        // One without any file is an export of nothing.
        if hasOthers, !hasTables { throw CommandFailure("\(file.name) holds no table: no file in it ends in .sst") }
        return nil
      }
      let header: TarHeader
      do throws(TarHeader.Failure) {
        header = try TarHeader(decoding: block[...])
      } catch {
        throw CommandFailure(
          offset == TarHeader.byteCount
            ? "\(file.name) is no tar: \(error.reason) at its front"
            : "\(file.name) is damaged at byte \(offset - TarHeader.byteCount): \(error.reason)")
      }
      let isTable = header.isFile && header.name.hasSuffix(".sst")
      if isTable { hasTables = true } else { hasOthers = true }
      let bytes = isTable ? try take(header.fileByteCount) : []
      if !isTable { try skip(header.fileByteCount) }
      try readZeros(TarHeader.paddingByteCount(of: header.fileByteCount))
      if isTable { return Entry(name: header.name, bytes: bytes) }
    }
  }

  /// The second block of zeros, and those that other programs write behind it.
  private mutating func readEnd() throws {
    try readZeros(TarHeader.byteCount)
    while true {
      let rest = try file.read(1 << 16)
      guard !rest.isEmpty else { return }
      guard rest.allSatisfy({ $0 == 0 }) else {
        throw CommandFailure("\(file.name) is damaged: something stands behind the tar's end")
      }
      offset += rest.count
    }
  }

  private mutating func readZeros(_ count: Int) throws {
    guard try take(count).allSatisfy({ $0 == 0 }) else {
      throw CommandFailure("\(file.name) is damaged: expected zeros at byte \(offset - count)")
    }
  }

  private mutating func skip(_ count: Int) throws {
    var rest = count
    while rest > 0 { rest -= try take(min(rest, 1 << 20)).count }
  }

  /// So many bytes; memory grows with what is there, not with what a header states.
  private mutating func take(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let piece = try file.read(min(count - bytes.count, 1 << 20))
      guard !piece.isEmpty else {
        throw CommandFailure(
          offset == 0
            ? "\(file.name) is no tar: it has \(bytes.isEmpty ? "no" : "\(bytes.count)") bytes"
            : "\(file.name) is cut at byte \(offset + bytes.count): a tar has an end")
      }
      bytes += piece
    }
    offset += count
    return bytes
  }
}
