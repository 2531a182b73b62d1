import Query

/// The results in an answer of several documents, a line each, as its bytes come in: each result is handed on when it is known
/// whether more of it follows.
struct ChunkedResults {
  /// Bytes of a document that is not whole yet.
  private var line: [UInt8] = []
  private var held: StatementResult?
  private var isSeriesOpen = false

  /// Takes more bytes.
  ///
  /// - Throws: `CommandFailure` for what is no result; what `emit` throws.
  mutating func take(_ bytes: RawSpan, emit: (StatementResult) throws -> Void) throws {
    // Copied within the call.
    var rest = unsafe bytes.withUnsafeBytes { unsafe Array($0) }[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      line.append(contentsOf: rest[..<end])
      rest = rest[(end + 1)...]
      try takeDocument(emit)
    }
    line.append(contentsOf: rest)
  }

  private mutating func takeDocument(_ emit: (StatementResult) throws -> Void) throws {
    defer { line.removeAll(keepingCapacity: true) }
    let document: ResultDocument
    do {
      document = try ResultDocument(line)
    } catch {
      throw CommandFailure("the server answered with what is no result: \(error)")
    }
    if let error = document.error { throw CommandFailure("the server answered: \(error)") }
    for result in document.results {
      try hand(on: result, emit)
      isSeriesOpen = document.isSeriesOpen
    }
  }

  /// Holds a result, and hands on the one before.
  private mutating func hand(on result: StatementResult, _ emit: (StatementResult) throws -> Void) throws {
    var result = result
    if var before = held {
      before.hasMore = before.statementID == result.statementID
      if before.hasMore {
        result.continuation = isSeriesOpen ? .sameSeries : .nextSeries
        // Of a piece it only says that others follow.
        before.isPartial = false
      }
      held = nil
      try emit(before)
    }
    held = result
  }

  /// Hands on the last one.
  mutating func finish(emit: (StatementResult) throws -> Void) throws {
    guard line.isEmpty else { throw CommandFailure("the server's answer ends in its middle") }
    if let held { try emit(held) }
    held = nil
  }
}
