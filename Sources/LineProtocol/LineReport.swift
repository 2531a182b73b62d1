internal import CShims

/// Says what lines hold, one JSON object a point or refused line, in their order: what `varve parse` prints.
///
/// `{"line":N,"measurement":…,"tags":{…},"fields":{"k":{"type":"float|int|uint|bool|string","value":…}},"timestamp":ns or null}`
/// or `{"line":N,"column":C,"error":"…"}`; nothing for blank lines and comments.
public struct LineReport {
  private let parser: LineParser
  private let batch = LineBatch()
  private var line: UInt64 = 1
  private var head: [UInt8] = []
  /// The spelling that `head` was written for.
  private var headNumber = UInt32.max
  private var headGeneration: UInt64 = 0

  /// Lines refused so far.
  public private(set) var rejectCount = 0

  /// A report that begins at line 1.
  public init(options: LineParser.Options) {
    parser = LineParser(vocabulary: Vocabulary(), options: options)
  }

  /// Appends what the lines hold. All input at once, or piece by piece where pieces end with their lines.
  public mutating func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    guard let address = bytes.baseAddress else { return }
    // Each line's range lies within the bytes.
    let base = unsafe address.assumingMemoryBound(to: UInt8.self)
    var start = 0
    while start < bytes.count {
      let left = bytes.count - start
      let limit = parser.options.lineByteCountMax
      var scan = LineScan()
      var count = left
      if let end = unsafe scan.findEnd(line: base + start, count: min(left, limit + 1)) {
        count = end + 1
      } else if left > limit {
        let newline = unsafe CShims_findByte(base + start + limit, base + bytes.count, Escaping.newline)
        count = min(unsafe newline - base - start + 1, left)
      }
      batch.reset()
      line += unsafe parser.parse(
        UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), now: LineParser.unset,
        firstLine: line,
        into: batch)
      if batch.count > 0 { appendPoint(to: &output) }
      for reject in batch.rejects { appendReject(reject, to: &output) }
      rejectCount += batch.rejectCount
      start += count
    }
  }

  private func appendReject(_ reject: Reject, to output: inout [UInt8]) {
    output += "{\"line\":\(reject.line),\"column\":\(reject.column),\"error\":".utf8
    Self.appendJSON(reject.message.utf8, to: &output)
    output += "}\n".utf8
  }

  /// Appends the one row of the batch.
  private mutating func appendPoint(to output: inout [UInt8]) {
    output += "{\"line\":".utf8
    LinePrinter.appendInteger(Int64(batch.lines[0]), to: &output)
    let generation = parser.vocabulary.generation
    if headNumber != batch.series[0] || headGeneration != generation {
      (headNumber, headGeneration) = (batch.series[0], generation)
      head = Self.head(parser.vocabulary.seriesKey(headNumber))
    }
    output += head
    for (index, field) in parser.vocabulary.fieldList(batch.fieldLists[0]).enumerated() {
      if index > 0 { output.append(Escaping.comma) }
      Self.appendJSON(field.name, to: &output)
      output += ":{\"type\":\"\(Self.label(field.type))\",\"value\":".utf8
      appendValue(field.type, batch.values[index], to: &output)
      output.append(UInt8(ascii: "}"))
    }
    output += "},\"timestamp\":".utf8
    let time = batch.timestamps[0]
    if time == LineParser.unset {
      output += "null".utf8
    } else {
      LinePrinter.appendInteger(time, to: &output)
    }
    output += "}\n".utf8
  }

  private static func head(_ key: SeriesKey) -> [UInt8] {
    let parts = key.parts
    var out = Array(",\"measurement\":".utf8)
    appendJSON(parts.measurement, to: &out)
    out += ",\"tags\":{".utf8
    for (index, tag) in parts.tags.enumerated() {
      if index > 0 { out.append(Escaping.comma) }
      appendJSON(tag.key, to: &out)
      out.append(UInt8(ascii: ":"))
      appendJSON(tag.value, to: &out)
    }
    out += "},\"fields\":{".utf8
    return out
  }

  private func appendValue(_ type: FieldType, _ word: UInt64, to output: inout [UInt8]) {
    switch type {
    case .float: output += Double(bitPattern: word).description.utf8
    case .integer: LinePrinter.appendInteger(Int64(bitPattern: word), to: &output)
    case .unsigned: output += String(word).utf8
    case .boolean: output += (word == 0 ? "false" : "true").utf8
    case .string:
      // The parser wrote offset and count of bytes that `strings` holds.
      let start = unsafe batch.strings.base + Int(word >> 32)
      unsafe Self.appendJSON(
        UnsafeBufferPointer(start: start, count: Int(word & 0xffff_ffff)), to: &output)
    }
  }

  private static func label(_ type: FieldType) -> StaticString {
    switch type {
    case .float: "float"
    case .integer: "int"
    case .unsigned: "uint"
    case .boolean: "bool"
    case .string: "string"
    }
  }

  /// Appends valid UTF-8 as a JSON string (RFC 8259, section 7).
  private static func appendJSON(_ text: some Sequence<UInt8>, to output: inout [UInt8]) {
    output.append(Escaping.quote)
    for byte in text {
      switch byte {
      case Escaping.quote, Escaping.backslash:
        output.append(Escaping.backslash)
        output.append(byte)
      case Escaping.newline: output += "\\n".utf8
      case 0x09: output += "\\t".utf8
      case 0x0d: output += "\\r".utf8
      case ..<0x20:
        let hex = Array("0123456789abcdef".utf8)
        output += "\\u00".utf8
        output.append(hex[Int(byte >> 4)])
        output.append(hex[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(Escaping.quote)
  }
}
