import Coding

/// Strings of a column: words as a batch has them, and the bytes that these mean.
struct StringColumn {
  var words: [UInt64] = []
  var bytes: [UInt8] = []

  /// States and paths that repeat, as agents send them; the same for the same count.
  init(rowCount: Int) {
    var random = WorkloadRandom(seed: 10)
    for _ in 0..<rowCount {
      let text =
        "\(["ok", "degraded", "nearly full", "unreachable"][Int(random.below(4))]) /srv/volume-\(random.below(40))"
      words.append(UInt64(bytes.count) << 32 | UInt64(text.utf8.count))
      bytes += text.utf8
    }
  }

  func encode(_ rows: Range<Int>, _ encoder: inout BlockEncoder, into block: inout [UInt8]) {
    encoder.encodeStrings(words.span.extracting(rows), bytes: bytes.span, into: &block)
  }

  /// Whether others mean the same strings, wherever they lie.
  func isEqual(_ rows: Range<Int>, to other: [UInt64], in otherBytes: [UInt8]) -> Bool {
    func text(_ word: UInt64, _ bytes: [UInt8]) -> ArraySlice<UInt8> {
      bytes[Int(word >> 32)..<Int(word >> 32) + Int(word & 0xffff_ffff)]
    }
    return rows.count == other.count
      && zip(rows, other).allSatisfy { row, word in text(words[row], bytes) == text(word, otherBytes) }
  }
}

/// Strings to blocks, and back.
final class StringLayer: Layer {
  private let column: StringColumn
  private let isDecoding: Bool
  private var decoder = BlockDecoder()
  private var blocks: [[UInt8]]
  private var words: [UInt64] = []
  private var bytes: [UInt8] = []
  let unit = "values"

  init(_ column: StringColumn, isDecoding: Bool) {
    (self.column, self.isDecoding) = (column, isDecoding)
    var encoder = BlockEncoder(kind: .string)
    blocks = WordColumns.stretches(of: column.words.count).map { rows in
      var block: [UInt8] = []
      column.encode(rows, &encoder, into: &block)
      return block
    }
  }

  var name: String { isDecoding ? "decode strings" : "encode strings" }
  var count: Int { column.words.count }
  var byteCount: Int { blocks.reduce(0) { $0 + $1.count } }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    var (encoder, isRight) = (BlockEncoder(kind: .string), true)
    for (index, rows) in WordColumns.stretches(of: column.words.count).enumerated() {
      if !isDecoding {
        blocks[index].removeAll(keepingCapacity: true)
        watch.time { column.encode(rows, &encoder, into: &blocks[index]) }
      }
      words.removeAll(keepingCapacity: true)
      bytes.removeAll(keepingCapacity: true)
      if isDecoding {
        try watch.time { try decode(index, rowCount: rows.count) }
      } else {
        try decode(index, rowCount: rows.count)
      }
      isRight = isRight && column.isEqual(rows, to: words, in: bytes)
    }
    return isRight
  }

  private func decode(_ index: Int, rowCount: Int) throws {
    let block = blocks[index]
    try decoder.decodeStrings(
      block.span, count: rowCount, rows: 0..<rowCount, into: &words, bytes: &bytes)
  }
}
