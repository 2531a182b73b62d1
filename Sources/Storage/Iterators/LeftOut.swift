/// What an answer lacks because it may lie in a damaged piece; gathered by one statement. Safe from several threads.
///
/// A piece that cannot be read may overwrite, or complete, what other runs hold: so all runs are left out where it may lie. That
/// is one series in one window where the rows of a series are damaged; one measurement in one window where its dictionary or index
/// is; one window where a table cannot be opened, or its list of measurements not be read.
package final class LeftOut: Sendable {
  /// One damaged place, and what was left out for it in one window.
  package struct Piece: Sendable, Equatable {
    package var error: StorageError
    package var window: Range<Int64>
    /// `nil`: all.
    package var measurement: [UInt8]?
    /// Keys of series as bytes, where only some are: the first, and how many.
    package var firstSeries: [UInt8]?
    package var seriesCount = 0
  }

  private struct Place: Hashable {
    var file: String
    var offset: UInt64?
    var start: Int64
    var measurement: [UInt8]?
  }
  private let pieces = Lock<[Place: Piece]>([:])

  package init() {}

  package var isEmpty: Bool { pieces.withLock { $0.isEmpty } }

  /// By window, then file and offset.
  package var all: [Piece] {
    pieces.withLock { Array($0.values) }.sorted { a, b in
      if a.window.lowerBound != b.window.lowerBound { return a.window.lowerBound < b.window.lowerBound }
      return (a.error.file, a.error.offset ?? 0) < (b.error.file, b.error.offset ?? 0)
    }
  }

  /// Takes note; the same place of the same window counts once, however often it is met.
  package func note(_ piece: Piece) {
    let place = Place(
      file: piece.error.file, offset: piece.error.offset, start: piece.window.lowerBound,
      measurement: piece.measurement)
    pieces.withLock { pieces in
      if pieces[place].map({ $0.seriesCount >= piece.seriesCount }) == true { return }
      pieces[place] = piece
    }
  }
}
