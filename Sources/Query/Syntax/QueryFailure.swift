/// Why one statement failed, in InfluxDB's words where it has some. Others of the same text still run.
struct QueryFailure: Error, Equatable {
  var message: String

  init(_ message: String) { self.message = message }
}
