import LineProtocol
import Storage

/// The document of `/query`, byte for byte as InfluxDB 1.x writes it.
///
/// Whole, it is one line (or many, `isPretty`); with `chunkRowCount` it is one document a line for each piece of a series. What
/// closes a series or a document is written when it is known what follows, so that answers may come in pieces.
public struct JSONRenderer: ResultRenderer {
  private let options: RenderOptions
  /// Of the document under way.
  private var resultCount = 0
  private var documentCount = 0
  /// The answer under way.
  private var open: OpenResult?
  /// The list of names that a series had, and its text: those of one answer are the same.
  private var names: (list: [String], text: [UInt8]) = ([], [])
  private let texts = RepeatedTexts()

  /// An answer whose object is not closed yet.
  private struct OpenResult {
    var statementID: Int
    var chunking: StatementResult.Chunking
    /// Said when its object is closed, in chunks of the first one.
    var messages: [ResultMessage] = []
    var error: String?
    var errorPlace: String?
    var isPartial = false
    var hasSeveralNames = false
    var timeZone: String
    var timeStyle: TimeStyle
    /// Series in the object, and of the last one: whether it is not closed yet, its head in chunks, and the rows written.
    var seriesCount = 0
    var isSeriesOpen = false
    var head: ResultSeries?
    var rowCount = 0
  }

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public var includesErrors: Bool { true }

  /// The document that says why nothing was run: `{"error":…}`.
  public static func appendError(_ message: String, isPretty: Bool = false, into out: inout [UInt8]) {
    out.append(contentsOf: (isPretty ? "{\n    \"error\": " : "{\"error\":").utf8)
    out.appendJSONString(message)
    out.append(contentsOf: (isPretty ? "\n}\n" : "}\n").utf8)
  }

  public mutating func begin(into out: inout [UInt8]) {
    if options.chunkRowCount == nil { openDocument(into: &out) }
  }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    var now =
      open
      ?? OpenResult(
        statementID: result.statementID, chunking: result.chunking, timeZone: result.timeZone,
        timeStyle: TimeStyle(options, result))
    open = nil
    now.messages += result.messages
    now.isPartial = now.isPartial || result.isPartial
    now.hasSeveralNames = now.hasSeveralNames || result.hasSeveralNames
    if result.continuation == .begins { openResult(now, into: &out) }
    for (index, series) in result.series.enumerated() {
      let isSame = index == 0 && result.continuation == .sameSeries
      if !isSame { begin(series, of: &now, into: &out) }
      appendRows(series, of: &now, into: &out)
    }
    if let singles = result.singles { append(singles, of: &now, into: &out) }
    // Behind all rows: in chunks those of one piece may be in several documents, and the last one says why it is the last.
    if now.error == nil { (now.error, now.errorPlace) = (result.error, result.errorPlace) }
    guard !result.hasMore else { return open = now }
    closeSeries(of: &now, isPartial: false, into: &out)
    closeResult(&now, isPartial: now.isPartial, into: &out)
  }

  public mutating func finish(into out: inout [UInt8]) {
    if options.chunkRowCount != nil {
      if documentCount > 0 { return }
      openDocument(into: &out)
    }
    // Grafana reads `results[0]` unchecked, so the list is never empty.
    if resultCount == 0 { appendResultHead(0, into: &out); appendResultEnd(into: &out) }
    closeDocument(into: &out)
  }

  // MARK: Documents

  private mutating func openDocument(into out: inout [UInt8]) {
    resultCount = 0
    documentCount += 1
    out.append(UInt8(ascii: "{"))
    line(1, into: &out)
    key("results", into: &out)
    out.append(UInt8(ascii: "["))
  }

  private func closeDocument(into out: inout [UInt8]) {
    line(1, into: &out)
    out.append(UInt8(ascii: "]"))
    line(0, into: &out)
    out.append(contentsOf: "}\n".utf8)
  }

  // MARK: Results

  /// Begins the object of an answer, in chunks with its document.
  private mutating func openResult(_ result: OpenResult, into out: inout [UInt8]) {
    if options.chunkRowCount != nil { openDocument(into: &out) }
    appendResultHead(result.statementID, into: &out)
  }

  private mutating func appendResultHead(_ statementID: Int, into out: inout [UInt8]) {
    if resultCount > 0 { out.append(UInt8(ascii: ",")) }
    resultCount += 1
    line(2, into: &out)
    out.append(UInt8(ascii: "{"))
    line(3, into: &out)
    key("statement_id", into: &out)
    out.appendDecimal(Int64(statementID))
  }

  private func appendResultEnd(into out: inout [UInt8]) {
    line(2, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  /// Ends the object. In chunks messages and the error belong to one piece alone.
  private mutating func closeResult(_ result: inout OpenResult, isPartial: Bool, into out: inout [UInt8]) {
    if result.seriesCount > 0 {
      line(3, into: &out)
      out.append(UInt8(ascii: "]"))
    }
    if !result.messages.isEmpty {
      next("messages", 3, into: &out)
      appendList(result.messages, 4, into: &out) { appendMessage($0, into: &$1) }
    }
    if isPartial {
      next("partial", 3, into: &out)
      out.append(contentsOf: "true".utf8)
    }
    if options.includesTypes, !result.timeZone.isEmpty {
      next("tz", 3, into: &out)
      out.appendJSONString(result.timeZone)
    }
    if options.includesTypes, result.hasSeveralNames {
      next("several", 3, into: &out)
      out.append(contentsOf: "true".utf8)
    }
    if let error = result.error {
      next("error", 3, into: &out)
      out.appendJSONString(error)
    }
    if options.includesTypes, let place = result.errorPlace {
      next("at", 3, into: &out)
      out.appendJSONString(place)
    }
    appendResultEnd(into: &out)
    (result.messages, result.error, result.errorPlace) = ([], nil, nil)
    (result.seriesCount, result.isSeriesOpen) = (0, false)
    if options.chunkRowCount != nil { closeDocument(into: &out) }
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

  // MARK: Series

  /// Ends the series under way, if there is one, and begins another: in chunks in a document of its own.
  private mutating func begin(_ series: ResultSeries, of result: inout OpenResult, into out: inout [UInt8]) {
    closeSeries(of: &result, isPartial: false, into: &out)
    if options.chunkRowCount != nil, result.chunking != .whole, result.seriesCount > 0 {
      // As in InfluxDB the result is partial until its last piece, a series until its own.
      closeResult(&result, isPartial: result.chunking == .rows || result.isPartial, into: &out)
      openResult(result, into: &out)
    }
    openSeries(series, of: &result, into: &out)
  }

  /// Series of one row each.
  private mutating func append(_ singles: SingleRowSeries, of result: inout OpenResult, into out: inout [UInt8]) {
    closeSeries(of: &result, isPartial: false, into: &out)
    separateSeries(of: &result, into: &out)
    appendObjects(singles, result.timeStyle, into: &out)
  }

  /// What stands before the object of a series.
  private func separateSeries(of result: inout OpenResult, into out: inout [UInt8]) {
    if result.seriesCount == 0 {
      next("series", 3, into: &out)
      out.append(UInt8(ascii: "["))
    } else {
      out.append(UInt8(ascii: ","))
    }
    line(4, into: &out)
    result.seriesCount += 1
    result.rowCount = 0
  }

  private mutating func openSeries(_ series: ResultSeries, of result: inout OpenResult, into out: inout [UInt8]) {
    separateSeries(of: &result, into: &out)
    appendHead(series, into: &out)
    result.isSeriesOpen = true
    if options.chunkRowCount == nil { return }
    var head = series
    (head.timestamps, head.rowCount) = (series.timestamps.map { _ in [] }, 0)
    for index in head.columns.indices { head.columns[index] = Column(key: series.columns[index].key) }
    result.head = head
  }

  private func closeSeries(of result: inout OpenResult, isPartial: Bool, into out: inout [UInt8]) {
    guard result.isSeriesOpen else { return }
    result.isSeriesOpen = false
    if result.rowCount > 0 {
      line(5, into: &out)
      out.append(UInt8(ascii: "]"))
    }
    if isPartial {
      next("partial", 5, into: &out)
      out.append(contentsOf: "true".utf8)
    }
    line(4, into: &out)
    out.append(UInt8(ascii: "}"))
  }

  private mutating func appendHead(_ series: ResultSeries, into out: inout [UInt8]) {
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
    out += text(of: series.columnNames)
    if options.includesTypes {
      next("types", 5, into: &out)
      let types = (series.timestamps == nil ? [] : ["time"]) + series.columns.map { $0.key.type.name }
      appendList(types, 6, into: &out) { $1.appendJSONString($0) }
    }
  }

  /// The list of columns' names.
  mutating func text(of columnNames: [String]) -> [UInt8] {
    if names.text.isEmpty || names.list != columnNames {
      var text: [UInt8] = []
      appendList(columnNames, 6, into: &text) { $1.appendJSONString($0) }
      names = (columnNames, text)
    }
    return names.text
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

  /// The rows of the series under way, in chunks of as many as one may have.
  private mutating func appendRows(
    _ series: ResultSeries, of result: inout OpenResult, into out: inout [UInt8]
  ) {
    guard let limit = options.chunkRowCount.map({ max($0, 1) }), result.chunking == .rows else {
      return appendRows(series, 0..<series.rowCount, of: &result, into: &out)
    }
    var first = 0
    while first < series.rowCount {
      if result.rowCount == limit, let head = result.head {
        closeSeries(of: &result, isPartial: true, into: &out)
        closeResult(&result, isPartial: true, into: &out)
        openResult(result, into: &out)
        openSeries(head, of: &result, into: &out)
      }
      let end = min(series.rowCount, first + limit - result.rowCount)
      appendRows(series, first..<end, of: &result, into: &out)
      first = end
    }
  }

  /// The hot loop: one array a row, with a comma behind it.
  private func appendRows(
    _ series: ResultSeries, _ range: Range<Int>, of result: inout OpenResult, into out: inout [UInt8]
  ) {
    if range.isEmpty { return }
    if result.rowCount == 0 {
      next("values", 5, into: &out)
      out.append(UInt8(ascii: "["))
    } else {
      out.append(UInt8(ascii: ","))
    }
    result.rowCount += range.count
    let first = lineText(6) + [UInt8(ascii: "[")] + lineText(7)
    let other = [UInt8(ascii: ",")] + lineText(7)
    let end = lineText(6) + Array("],".utf8)
    let columns = series.columns.span
    let leads = columns.indices.map { $0 == 0 && series.timestamps == nil ? first : other }
    let parts = ColumnPart.parts(of: columns, in: columns.indices, behind: leads, rowCount: series.rowCount, texts)
    var text = RowText(columnCountMax: columns.count + 2, rowCount: range.count, texts: texts)
    RowText.visitWords(of: range) { word, rows in
      text.begin(rows)
      if let timestamps = series.timestamps {
        text.append(timestamps, word: word, behind: first, result.timeStyle, isQuoted: true)
      }
      for part in parts {
        text.append(part, of: columns, word: word, count: series.rowCount, behind: leads, JSONCellForm())
      }
      text.append(end)
      text.lay(into: &out)
    }
    out.removeLast()
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
    if options.isPretty { out += lineText(depth) }
  }

  private func lineText(_ depth: Int) -> [UInt8] {
    options.isPretty ? [UInt8(ascii: "\n")] + Array(repeating: UInt8(ascii: " "), count: 4 * depth) : []
  }
}
