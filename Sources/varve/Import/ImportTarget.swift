import LineProtocol

/// A line that was not taken.
struct RefusedLine {
  /// Physical line of the file, from 1.
  var line: Int
  /// Byte in it, from 1.
  var column: Int
  var reason: String
}

/// What became of some lines.
struct ImportOutcome {
  var acceptedCount = 0
  var refused: [RefusedLine] = []
}

/// Takes lines for one database and policy at a time.
protocol ImportTarget: AnyObject {
  /// Where lines go from now on; a database that is not there is made.
  func use(database: String, policy: String?) throws
  /// Runs a statement of an export's DDL.
  func execute(_ statement: String) throws
  /// Stores whole lines; returns when they are durable.
  ///
  /// - Parameter firstLine: the number of the first of them in the file.
  func write(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome
}
