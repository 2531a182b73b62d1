import LineProtocol

/// How values are written as cells of text. Each call finds the room of a number, and makes what it needs beyond that.
protocol CellForm {
  /// What stands where a row has no value; `nil`: nothing, and no text before it either.
  var absent: [UInt8]? { get }
  func append(_ value: Double, to out: inout TextBuffer)
  func append(_ value: Int64, to out: inout TextBuffer)
  func append(_ value: UInt64, to out: inout TextBuffer)
  func append(_ text: Span<UInt8>, to out: inout TextBuffer)
}

extension CellForm {
  @inline(__always) func append(_ value: Int64, to out: inout TextBuffer) { out.append(value) }
  @inline(__always) func append(_ value: UInt64, to out: inout TextBuffer) { out.append(value) }
}

/// Values of JSON; NaN and infinities have no form in it.
struct JSONCellForm: CellForm {
  let absent: [UInt8]? = Self.null
  private static let null = Array("null".utf8)

  @inline(__always) func append(_ value: Double, to out: inout TextBuffer) {
    if value.isFinite { out.append(value) } else { out.append(Self.null) }
  }

  @inline(__always) func append(_ text: Span<UInt8>, to out: inout TextBuffer) {
    out.reserve(text.count + 16)
    out.append(UInt8(ascii: "\""))
    if out.append(text, whereAll: { PlainText.marks(notPlainInJSON: $0) }) { return out.append(UInt8(ascii: "\"")) }
    out.truncate(to: out.count - 1)
    var escaped: [UInt8] = []
    escaped.appendJSONString(Array(text))
    out.reserve(escaped.count)
    out.append(escaped)
  }
}

/// Fields of CSV, quoted where they must be.
struct CSVCellForm: CellForm {
  /// Whether an empty text is written as `""`.
  var isEmptyQuoted = true
  /// Whether floats have no exponent.
  var hasPlainFloats = false
  let absent: [UInt8]? = []

  @inline(__always) func append(_ value: Double, to out: inout TextBuffer) {
    out.append(value, isPlain: hasPlainFloats)
  }

  @inline(__always) func append(_ text: Span<UInt8>, to out: inout TextBuffer) {
    out.reserve(text.count + 8)
    if !text.isEmpty, text[0] != UInt8(ascii: " "),
      out.append(text, whereAll: { PlainText.marks(notPlainInCSV: $0) })
    {
      return
    }
    var quoted: [UInt8] = []
    quoted.appendCSVField(Array(text), isEmptyQuoted: isEmptyQuoted)
    out.reserve(quoted.count)
    out.append(quoted)
  }
}

extension Array<UInt8> {
  init(_ span: Span<UInt8>) {
    self = []
    append(addingCapacity: span.count) { out in for index in span.indices { out.append(span[index]) } }
  }
}
