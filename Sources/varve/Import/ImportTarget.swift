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
