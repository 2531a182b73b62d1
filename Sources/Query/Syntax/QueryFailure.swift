/// Why one statement failed, in InfluxDB's words where it has some. Others of the same text still run.
package struct QueryFailure: Error, Equatable, CustomStringConvertible {
  package var message: String
  /// Whether the statement asked for more than a limit allows: it may do in smaller parts.
  var isLimit = false
  /// What of the statement it is about, where it is about its words.
  var part: StatementPart?
  /// Which subquery that is a part of: its number among its neighbours on each level, outermost first; empty: the statement.
  var levels: [Int] = []

  package var description: String { message }

  package init(_ message: String, isLimit: Bool = false) {
    self.message = message
    self.isLimit = isLimit
  }

  init(_ message: String, isLimit: Bool = false, part: StatementPart?) {
    self.init(message, isLimit: isLimit)
    self.part = part
  }

  /// Runs `body`; a failure that says not of which part of the statement it is about is about this one.
  static func about<Value>(
    _ part: @autoclosure () -> StatementPart?, _ body: () throws(QueryFailure) -> Value
  ) throws(QueryFailure) -> Value {
    do { return try body() } catch {
      var failure = error
      failure.part = failure.part ?? part()
      throw failure
    }
  }

  /// Runs `body` for a subquery, the `index`th of the statement around it: a failure is on a level of its own.
  static func inside<Value>(subquery index: Int, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch var failure as QueryFailure {
      failure.levels.insert(index, at: 0)
      throw failure
    }
  }

  /// Cancelled: by its client, its time limit or `KILL QUERY`.
  package static let interrupted = QueryFailure("query interrupted")
}
