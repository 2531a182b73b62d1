import LineProtocol

/// A value as tests compare it: floats by their bits.
enum Value: Hashable, CustomStringConvertible {
  case float(UInt64)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case string([UInt8])

  var description: String {
    switch self {
    case .float(let bits): "\(Double(bitPattern: bits))"
    case .integer(let value): "\(value)i"
    case .unsigned(let value): "\(value)u"
    case .boolean(let value): "\(value)"
    case .string(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
    }
  }
}

/// A point as tests compare it.
struct Point: Equatable, CustomStringConvertible {
  var key: SeriesKey
  var fields: [[UInt8]: Value]
  /// `LineParser.unset` where the line had none.
  var timestamp: Int64
  var line: UInt64 = 0

  static func == (a: Point, b: Point) -> Bool {
    a.key == b.key && a.fields == b.fields && a.timestamp == b.timestamp
  }

  var description: String {
    let tags = key.parts.tags.map { "\(Self.text($0.key))=\(Self.text($0.value))" }
    let fields = fields.map { "\(Self.text($0.key))=\($0.value)" }.sorted()
    return "\(Self.text(key.measurement)) \(tags) \(fields) \(timestamp)"
  }

  private static func text(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}

/// The points of a batch.
func points(of batch: LineBatch, _ vocabulary: Vocabulary) -> [Point] {
  var out: [Point] = []
  var place = 0
  for row in 0..<batch.count {
    var fields: [[UInt8]: Value] = [:]
    for key in vocabulary.fieldList(batch.fieldLists[row]) {
      let word = batch.values[place]
      place += 1
      fields[key.name] =
        switch key.type {
        case .float: .float(word)
        case .integer: .integer(Int64(bitPattern: word))
        case .unsigned: .unsigned(word)
        case .boolean: .boolean(word != 0)
        case .string: .string((0..<Int(word & 0xffff_ffff)).map { batch.strings[Int(word >> 32) + $0] })
        }
    }
    out.append(
      Point(
        key: vocabulary.seriesKey(batch.series[row]), fields: fields, timestamp: batch.timestamps[row],
        line: batch.lines[row]))
  }
  precondition(place == batch.values.count, "\(batch.values.count) values, \(place) of them fields")
  return out
}

/// What came of some bytes.
struct Outcome: Equatable, CustomStringConvertible {
  var points: [Point]
  var rejects: [Reject]

  var description: String {
    "points \(points)\n rejects \(rejects.map { "\($0.line):\($0.column) \($0.reason) \($0.message)" })"
  }
}

/// Parses the bytes at once.
func parseWhole(
  _ bytes: [UInt8], _ options: LineParser.Options, parser given: LineParser? = nil
) -> Outcome {
  let parser = given ?? LineParser(vocabulary: Vocabulary(), options: options)
  let batch = LineBatch()
  bytes.withUnsafeBytes { _ = parser.parse($0, now: LineParser.unset, into: batch) }
  return Outcome(points: points(of: batch, parser.vocabulary), rejects: batch.rejects)
}

/// What a listener does: feeds the framer with the reads, parses what it gives; answers are (token, points before it).
func parseFramed(_ reads: [ArraySlice<UInt8>], _ options: LineParser.Options) -> (Outcome, tokens: [String]) {
  let parser = LineParser(vocabulary: Vocabulary(), options: options)
  var framer = LineFramer(options: options)
  let batch = LineBatch()
  var (buffer, line, tokens) = ([UInt8](), UInt64(1), [String]())
  for (index, read) in reads.enumerated() {
    buffer += read
    drain: while true {
      var piece = buffer.withUnsafeBytes { framer.next($0, isLast: index == reads.count - 1) }
      switch piece.kind {
      case .lines:
        buffer.withUnsafeBytes {
          line += parser.parse(
            UnsafeRawBufferPointer(rebasing: $0[..<piece.byteCount]), now: LineParser.unset, firstLine: line,
            into: batch)
        }
      case .acknowledge(let token): tokens.append(String(decoding: buffer[token], as: UTF8.self))
      case .refused(var reject):
        reject.line += Int(line) - 1
        batch.refuse(reject)
      case .skipped: break
      case .incomplete: break drain
      }
      line += piece.newlineCount
      buffer.removeFirst(piece.byteCount)
      piece.byteCount = 0
    }
  }
  precondition(buffer.isEmpty, "bytes left in the framer")
  return (Outcome(points: points(of: batch, parser.vocabulary), rejects: batch.rejects), tokens)
}
