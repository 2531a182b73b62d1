import Query

/// The results in an answer of several documents, a line each, as its bytes come in: each result is handed on when it is known
/// whether more of it follows.
struct ChunkedResults {
  /// Documents are read together up to so many bytes, so that what is short is one piece.
  private static let byteCountMax = 4 << 20

  /// Bytes of documents that are not read yet, and of them those of whole ones.
  private var bytes: [UInt8] = []
  private var wholeByteCount = 0
  private var held: StatementResult?
  private var isSeriesOpen = false

  /// Takes more bytes.
  ///
  /// - Throws: `CommandFailure` for what is no result; what `emit` throws.
  mutating func take(_ piece: RawSpan, emit: (StatementResult) throws -> Void) throws {
    let before = bytes.count
    // Copied within the call.
    unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    if let end = bytes[before...].lastIndex(of: UInt8(ascii: "\n")) { wholeByteCount = end + 1 }
    if wholeByteCount >= Self.byteCountMax { try takeDocuments(emit) }
  }

  private mutating func takeDocuments(_ emit: (StatementResult) throws -> Void) throws {
    guard wholeByteCount > 0 else { return }
    let document: ResultDocument
    do {
      document = try ResultDocument(Array(bytes[..<wholeByteCount]))
    } catch {
      throw CommandFailure("the server answered with what is no result: \(error)")
    }
    bytes.removeSubrange(..<wholeByteCount)
    wholeByteCount = 0
    if let error = document.error { throw CommandFailure("the server answered: \(error)") }
    for result in document.results { try hand(on: result, emit) }
    isSeriesOpen = document.isSeriesOpen
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
    try takeDocuments(emit)
    guard bytes.isEmpty else { throw CommandFailure("the server's answer ends in its middle") }
    if let held { try emit(held) }
    held = nil
  }
}
