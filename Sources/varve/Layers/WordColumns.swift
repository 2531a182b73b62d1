import Coding

/// Columns of 64-bit words of one kind, and the blocks that they become.
final class WordColumns {
  let name: String
  let kind: ColumnKind
  let columns: [[UInt64]]
  /// Those of column *i*, in order; filled by the layer that encodes.
  var blocks: [[[UInt8]]] = []

  /// As in a table.
  static let blockRowCount = 16_384

  init(_ name: String, _ kind: ColumnKind, _ columns: [[UInt64]]) {
    (self.name, self.kind, self.columns) = (name, kind, columns)
    encode()
  }

  var valueCount: Int { columns.reduce(0) { $0 + $1.count } }
  var byteCount: Int { blocks.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } } }

  /// The rows of a column's blocks.
  static func stretches(of rowCount: Int) -> [Range<Int>] {
    stride(from: 0, to: rowCount, by: blockRowCount).map { $0..<min($0 + blockRowCount, rowCount) }
  }

  private func encode() {
    blocks = columns.map { column in
      var encoder = BlockEncoder(kind: kind)
      return Self.stretches(of: column.count).map { rows in
        var block: [UInt8] = []
        encoder.encode(column.span.extracting(rows), into: &block)
        return block
      }
    }
  }
}

/// Words to blocks.
final class EncodeLayer: Layer {
  private let words: WordColumns
  private var decoder = BlockDecoder()
  private var block: [UInt8] = []
  private var decoded: [UInt64] = []
  let unit = "values"

  init(_ words: WordColumns) { self.words = words }

  var name: String { "encode \(words.name)" }
  var count: Int { words.valueCount }
  var byteCount: Int { words.byteCount }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    var isRight = true
    for column in words.columns {
      var encoder = BlockEncoder(kind: words.kind)
      for rows in WordColumns.stretches(of: column.count) {
        block.removeAll(keepingCapacity: true)
        watch.time { encoder.encode(column.span.extracting(rows), into: &block) }
        decoded.removeAll(keepingCapacity: true)
        let made = block
        try decoder.decode(
          made.span, kind: words.kind, count: rows.count, rows: 0..<rows.count, into: &decoded)
        isRight = isRight && decoded[...] == column[rows]
      }
    }
    return isRight
  }
}

/// Blocks to words.
final class DecodeLayer: Layer {
  private let words: WordColumns
  private var decoder = BlockDecoder()
  private var decoded: [UInt64] = []
  let unit = "values"

  init(_ words: WordColumns) { self.words = words }

  var name: String { "decode \(words.name)" }
  var count: Int { words.valueCount }
  var byteCount: Int { words.byteCount }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    var isRight = true
    for (column, blocks) in zip(words.columns, words.blocks) {
      for (rows, block) in zip(WordColumns.stretches(of: column.count), blocks) {
        decoded.removeAll(keepingCapacity: true)
        try watch.time {
          try decoder.decode(
            block.span, kind: words.kind, count: rows.count, rows: 0..<rows.count, into: &decoded)
        }
        isRight = isRight && decoded[...] == column[rows]
      }
    }
    return isRight
  }
}
