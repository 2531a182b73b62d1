import LineProtocol
package import Query

/// A line that was not taken.
package struct RefusedLine: Equatable {
  /// Physical line of the file, from 1.
  package var line: Int
  /// Byte in it, from 1.
  package var column: Int
  package var reason: String

  package init(line: Int, column: Int, reason: String) {
    self.line = line
    self.column = column
    self.reason = reason
  }
}

/// What became of some lines.
package struct ImportOutcome {
  package var acceptedCount = 0
  package var refused: [RefusedLine] = []

  package init(acceptedCount: Int = 0, refused: [RefusedLine] = []) {
    self.acceptedCount = acceptedCount
    self.refused = refused
  }
}

/// Takes lines for one database and policy at a time.
package protocol ImportTarget: AnyObject {
  /// Where lines go from now on; a database that is not there is made.
  func use(database: String, policy: String?) throws
  /// Runs a statement of an export's DDL.
  func execute(_ statement: String) throws
  /// Runs a statement that asks, in the database of `use`.
  func ask(_ statement: String) throws -> [ResultSeries]
  /// Stores whole lines; returns when they are durable.
  ///
  /// - Parameter firstLine: the number of the first of them in the file.
  func write(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome
}

extension ImportTarget {
  /// Stores lines in two halves, so that each names more of what it refuses; `nil` where there is but one line.
  func writeHalves(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome? {
    guard let middle = unsafe middleLineStart(lines) else { return nil }
    let head = unsafe UnsafeRawBufferPointer(rebasing: lines[..<middle])
    var outcome = try unsafe write(head, firstLine: firstLine)
    let headLineCount = unsafe head.count { $0 == 0x0a }
    let tail = unsafe UnsafeRawBufferPointer(rebasing: lines[middle...])
    let rest = try unsafe write(tail, firstLine: firstLine + headLineCount)
    outcome.acceptedCount += rest.acceptedCount
    outcome.refused += rest.refused
    return outcome
  }

  /// Where a line begins, about in the middle; `nil` where there is but one. A string may hold what looks like the end of a line: one is not
  /// cut there, for its rest could look like a point.
  private func middleLineStart(_ lines: UnsafeRawBufferPointer) -> Int? {
    for byteCount in [lines.count / 2, lines.count / 4 * 3, lines.count - 1] where byteCount > 0 {
      var framer = LineFramer()
      let front = unsafe UnsafeRawBufferPointer(rebasing: lines[..<byteCount])
      let piece = unsafe framer.next(front, isLast: false)
      if piece.byteCount > 0 { return piece.byteCount }
    }
    return nil
  }
}
