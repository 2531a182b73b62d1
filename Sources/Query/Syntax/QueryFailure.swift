/// Why one statement failed, in InfluxDB's words where it has some. Others of the same text still run.
package struct QueryFailure: Error, Equatable {
  package var message: String

  init(_ message: String) { self.message = message }
}
