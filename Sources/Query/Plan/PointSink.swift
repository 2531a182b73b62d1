public import Storage

/// Where statements write points: `SELECT … INTO`. A server's; an engine without one refuses such statements.
public protocol PointSink: Sendable {
  /// Begins to write to a policy of a database, the default one where `policy` is empty.
  func open(database: String, policy: String) throws(StorageError) -> any PointWriter
}

/// Writes the points of one statement, for one thread.
public protocol PointWriter: AnyObject {
  /// Takes in lines of line protocol, each with its newline and its time in nanoseconds. Held back while the store is under pressure,
  /// until `isCancelled`.
  ///
  /// - Throws: `.cancelled`; `.full`, `.io` where the store takes nothing; lines that were refused are no error.
  func write(_ lines: [UInt8], isCancelled: () -> Bool) throws(StorageError)

  /// Returns when all is durable.
  func finish() throws(StorageError)

  /// Points taken in.
  var acceptedCount: Int { get }

  /// Lines refused.
  var rejectedCount: Int { get }

  /// Why the first of them was.
  var firstReason: String { get }
}
