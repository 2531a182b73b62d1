/// Why one statement failed, in InfluxDB's words where it has some. Others of the same text still run.
package struct QueryFailure: Error, Equatable, CustomStringConvertible {
  package var message: String
  /// Whether the statement asked for more than a limit allows: it may do in smaller parts.
  var isLimit = false

  package var description: String { message }

  package init(_ message: String, isLimit: Bool = false) {
    self.message = message
    self.isLimit = isLimit
  }

  /// Cancelled: by its client, its time limit or `KILL QUERY`.
  package static let interrupted = QueryFailure("query interrupted")
}
