package import LineProtocol
import Storage

/// The document of `/query`, byte for byte as InfluxDB 1.x writes it.
///
/// Whole, it is one line (or many, `isPretty`); with `chunkRowCount` it is one document a line for each piece of a series.
public struct JSONRenderer: ResultRenderer {
  private let options: RenderOptions
  private var resultCount = 0

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public var includesErrors: Bool { true }

  /// The document that says why nothing was run: `{"error":…}`.
  public static func appendError(_ message: String, isPretty: Bool = false, into out: inout [UInt8]) {
    out.append(contentsOf: (isPretty ? "{\n    \"error\": " : "{\"error\":").utf8)
    out.appendJSONString(message)
    out.append(contentsOf: (isPretty ? "\n}\n" : "}\n").utf8)
  }

  public mutating func begin(into out: inout [UInt8]) {
    if options.chunkRowCount == nil { open(into: &out) }
  }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    if let limit = options.chunkRowCount {
      appendChunks(result, limit: max(limit, 1), into: &out)
    } else {
      appendResult(result, rows: nil, isPartial: result.isPartial, into: &out)
    }
  }

  public mutating func finish(into out: inout [UInt8]) {
    if options.chunkRowCount != nil {
      if resultCount > 0 { return }
      open(into: &out)
    }
    // Grafana reads `results[0]` unchecked, so the list is never empty.
    if resultCount == 0 {
      appendResult(StatementResult(statementID: 0), rows: nil, isPartial: false, into: &out)
    }
    close(into: &out)
  }

  // MARK: Documents

  private func open(into out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    line(1, into: &out)
    key("results", into: &out)
    out.append(UInt8(ascii: "["))
  }

  private func close(into out: inout [UInt8]) {
    line(1, into: &out)
    out.append(UInt8(ascii: "]"))
    line(0, into: &out)
    out.append(contentsOf: "}\n".utf8)
  }

  /// The documents of one answer, cut as `StatementResult.Chunking` says.
  private mutating func appendChunks(_ result: StatementResult, limit: Int, into out: inout [UInt8]) {
    switch result.series.isEmpty ? .whole : result.chunking {
    case .rows: appendPieces(result, limit: limit, into: &out)
    case .series:
      var one = result
      for series in result.series {
        one.series = [series]
        appendDocument(one, rows: nil, isPartial: result.isPartial, into: &out)
        (one.messages, one.error) = ([], nil)
      }
    case .whole: appendDocument(result, rows: nil, isPartial: result.isPartial, into: &out)
    }
  }

  /// One document for each `limit` rows of each series. As in InfluxDB the result is partial until its last piece, a
  /// series until its own.
  private mutating func appendPieces(_ result: StatementResult, limit: Int, into out: inout [UInt8]) {
    var piece = result
    for (index, series) in result.series.enumerated() {
      piece.series = [series]
      var first = 0
      repeat {
        let end = min(first + limit, series.rowCount)
        let isLast = index == result.series.count - 1 && end == series.rowCount
        appendDocument(piece, rows: first..<end, isPartial: !isLast || result.isPartial, into: &out)
        // Messages and the error belong to the first piece alone.
        (piece.messages, piece.error) = ([], nil)
        first = end
      } while first < series.rowCount
    }
  }

  private mutating func appendDocument(
    _ result: StatementResult, rows: Range<Int>?, isPartial: Bool, into out: inout [UInt8]
  ) {
    resultCount = 0
    open(into: &out)
    appendResult(result, rows: rows, isPartial: isPartial, into: &out)
    close(into: &out)
  }

  // MARK: Results

  private mutating func appendResult(
    _ result: StatementResult, rows: Range<Int>?, isPartial: Bool, into out: inout [UInt8]
  ) {
    if resultCount > 0 { out.append(UInt8(ascii: ",")) }
    resultCount += 1
    line(2, into: &out)
    out.append(UInt8(ascii: "{"))
    line(3, into: &out)
    key("statement_id", into: &out)
    out.appendDecimal(Int64(result.statementID))
    if !result.series.isEmpty {
      next("series", 3, into: &out)
      appendList(result.series, 4, into: &out) { appendSeries($0, rows: rows, into: &$1) }
    }
    if !result.messages.isEmpty {
      next("messages", 3, into: &out)
      appendList(result.messages, 4, into: &out) { appendMessage($0, into: &$1) }
    }
    if isPartial {
      next("partial", 3, into: &out)
      out.append(contentsOf: "true".utf8)
    }
    if let error = result.error {
      next("error", 3, into: &out)
      out.appendJSONString(error)
    }
    line(2, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  private func appendMessage(_ message: ResultMessage, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    line(5, into: &out)
    key("level", into: &out)
    out.appendJSONString(message.level)
    next("text", 5, into: &out)
    out.appendJSONString(message.text)
    line(4, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  private func appendSeries(_ series: ResultSeries, rows: Range<Int>?, into out: inout [UInt8]) {
    let range = rows ?? 0..<series.rowCount
    out.append(UInt8(ascii: "{"))
    line(5, into: &out)
    if !series.name.isEmpty {
      key("name", into: &out)
      out.appendJSONString(series.name)
      out.append(UInt8(ascii: ","))
      line(5, into: &out)
    }
    if !series.tags.isEmpty {
      key("tags", into: &out)
      appendTags(series.tags, into: &out)
      out.append(UInt8(ascii: ","))
      line(5, into: &out)
    }
    key("columns", into: &out)
    appendList(series.columnNames, 6, into: &out) { $1.appendJSONString($0) }
    if options.includesTypes {
      next("types", 5, into: &out)
      let types = (series.timestamps == nil ? [] : ["time"]) + series.columns.map { $0.key.type.name }
      appendList(types, 6, into: &out) { $1.appendJSONString($0) }
    }
    if !range.isEmpty {
      next("values", 5, into: &out)
      appendRows(series, range, into: &out)
    }
    if range.upperBound < series.rowCount {
      next("partial", 5, into: &out)
      out.append(contentsOf: "true".utf8)
    }
    line(4, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  /// An object sorted by key, as Go writes a map; unsorted where types are asked for.
  private func appendTags(_ tags: [(key: String, value: String)], into out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    let ordered = options.includesTypes ? tags : tags.sorted { $0.key < $1.key }
    for (index, tag) in ordered.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      line(6, into: &out)
      out.appendJSONString(tag.key)
      out.append(contentsOf: (options.isPretty ? ": " : ":").utf8)
      out.appendJSONString(tag.value)
    }
    line(5, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  /// The hot loop: one array a row.
  private func appendRows(_ series: ResultSeries, _ range: Range<Int>, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "["))
    // Through the span a value costs no copy of its column.
    let columns = series.columns.span
    for row in range {
      if row > range.lowerBound { out.append(UInt8(ascii: ",")) }
      line(6, into: &out)
      out.append(UInt8(ascii: "["))
      var isFirst = true
      if let timestamps = series.timestamps {
        line(7, into: &out)
        out.appendJSONTime(timestamps[row], options.precision)
        isFirst = false
      }
      for index in columns.indices {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        line(7, into: &out)
        out.appendJSONValue(columns[index], row)
      }
      line(6, into: &out)
      out.append(UInt8(ascii: "]"))
    }
    line(5, into: &out)
    out.append(UInt8(ascii: "]"))
  }

  // MARK: Punctuation

  private func appendList<Element>(
    _ elements: [Element], _ depth: Int, into out: inout [UInt8], _ body: (Element, inout [UInt8]) -> Void
  ) {
    out.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      line(depth, into: &out)
      body(element, &out)
    }
    if !elements.isEmpty { line(depth - 1, into: &out) }
    out.append(UInt8(ascii: "]"))
  }

  private func next(_ name: String, _ depth: Int, into out: inout [UInt8]) {
    out.append(UInt8(ascii: ","))
    line(depth, into: &out)
    key(name, into: &out)
  }

  private func key(_ name: String, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    out.append(contentsOf: name.utf8)
    out.append(contentsOf: (options.isPretty ? "\": " : "\":").utf8)
  }

  /// A new line at a depth, where the document is pretty.
  @inline(__always) private func line(_ depth: Int, into out: inout [UInt8]) {
    guard options.isPretty else { return }
    out.append(UInt8(ascii: "\n"))
    for _ in 0..<4 * depth { out.append(UInt8(ascii: " ")) }
  }
}

extension [UInt8] {
  /// Appends a moment as a JSON value: an integer of `precision`, else RFC 3339 in quotes.
  package mutating func appendJSONTime(_ nanoseconds: Int64, _ precision: Precision?) {
    if let precision { return appendEpoch(nanoseconds, unit: precision) }
    append(UInt8(ascii: "\""))
    appendRFC3339(nanoseconds)
    append(UInt8(ascii: "\""))
  }
}
