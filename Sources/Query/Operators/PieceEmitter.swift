import LineProtocol
import Storage

/// Hands on the series of an answer in pieces of a bounded size; what is short stays one piece.
final class PieceEmitter {
  /// Series that a piece has at most.
  private static let seriesCountMax = 1_000

  /// Whether a piece was handed on.
  private(set) var hasEmitted = false
  /// Whether series of other names come too; asked with the first piece, where it is not the only one.
  var hasSeveralNames: () throws -> Bool = { false }
  private let statementID: Int
  private let timeZone: String
  private let limits: QueryLimits
  private let isCancelled: () -> Bool
  private let emit: (StatementResult) throws -> Void
  private var pending: [ResultSeries] = []
  private var pendingSingles: SingleRowSeries?
  private var pendingRowCount = 0
  private var isPendingSameSeries = false
  private var severalNames = false
  /// Whether rows were taken.
  private(set) var isUsed = false
  /// What every piece says, and the first one alone.
  private var chunking = StatementResult.Chunking.rows
  private var isPartial = false
  private var messages: [ResultMessage] = []

  /// - Parameter isCancelled: asked before each piece but the last; then no more are handed on.
  init(
    statementID: Int, timeZone: String, limits: QueryLimits, isCancelled: @escaping () -> Bool,
    emit: @escaping (StatementResult) throws -> Void
  ) {
    self.statementID = statementID
    self.timeZone = timeZone
    self.limits = limits
    self.isCancelled = isCancelled
    self.emit = emit
  }

  /// Takes rows.
  ///
  /// - Parameter isSameSeries: they follow those of the series that was taken last.
  func take(_ series: ResultSeries, isSameSeries: Bool) throws {
    isUsed = true
    let rowCount = pieceRowCount(columnCount: series.columns.count)
    for start in stride(from: 0, to: max(series.rowCount, 1), by: rowCount) {
      let isSame = isSameSeries || start > 0
      if isSame, !pending.isEmpty { try flush() }
      if pending.isEmpty { isPendingSameSeries = isSame && hasEmitted }
      let part = series.rows(start..<min(series.rowCount, start + rowCount), sharing: limits.sharedByteCountMax)
      pending.append(part)
      pendingRowCount += part.rowCount
      if pendingRowCount >= rowCount || pending.count >= Self.seriesCountMax { try flush() }
    }
  }

  /// Rows of so many columns that a piece has.
  func pieceRowCount(columnCount: Int) -> Int {
    max(1, min(limits.pieceRowCountMax, limits.pieceValueCountMax / max(1, columnCount)))
  }

  private func flush() throws {
    if isCancelled() {
      (pending, pendingSingles, pendingRowCount) = ([], nil, 0)
      throw QueryFailure.interrupted
    }
    var piece = StatementResult(statementID: statementID)
    piece.timeZone = timeZone
    if !hasEmitted { severalNames = try hasSeveralNames() }
    piece.hasMore = true
    piece.chunking = chunking
    if !hasEmitted { piece.messages = messages }
    piece.isPartial = isPartial
    close(&piece)
    hasEmitted = true
    try emit(piece)
  }

  /// Forgets what was taken and not handed on: it comes again.
  func reset() {
    pending = []
    pendingSingles = nil
    pendingRowCount = 0
    isUsed = false
  }

  /// Takes the series of an answer that is held, and leaves it without.
  func takeAll(_ result: inout StatementResult) throws {
    var series = result.series
    result.series = []
    (messages, chunking, isPartial) = (result.messages, result.chunking, result.isPartial)
    let names = Set(series.lazy.map(\.name)).count > 1
    hasSeveralNames = { names }
    series.reverse()
    do {
      // One after another is let go of.
      while let next = series.popLast() { try take(next, isSameSeries: false) }
    } catch let failure as QueryFailure {
      result.error = result.error ?? failure.message
    }
    if let singles = result.singles, singles.rows.rowCount > Self.seriesCountMax { try takeAll(singles, of: &result) }
    if hasEmitted { result.messages = [] }
  }

  /// Hands on series of one row each but the last of them, which it leaves in the result.
  private func takeAll(_ singles: SingleRowSeries, of result: inout StatementResult) throws {
    result.singles = nil
    let count = singles.rows.rowCount
    do {
      for start in stride(from: 0, to: count, by: Self.seriesCountMax) {
        let end = start + Self.seriesCountMax
        let part = singles.part(start..<min(end, count), sharing: limits.sharedByteCountMax)
        if end < count {
          pendingSingles = part
          try flush()
        } else {
          result.singles = part
        }
      }
    } catch let failure as QueryFailure {
      result.error = result.error ?? failure.message
    }
  }

  /// Puts what is left into the last piece, whose messages and error the caller knows.
  func finish(_ result: inout StatementResult) { close(&result) }

  private func close(_ piece: inout StatementResult) {
    piece.series = pending
    piece.singles = pendingSingles ?? piece.singles
    piece.hasSeveralNames = severalNames
    if hasEmitted { piece.continuation = isPendingSameSeries && !pending.isEmpty ? .sameSeries : .nextSeries }
    pending = []
    pendingSingles = nil
    pendingRowCount = 0
    isPendingSameSeries = false
  }
}
