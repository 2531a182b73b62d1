import Query
import Storage

/// Where statements are answered.
protocol QuerySource {
  /// What error messages call it: the server's URL, the directory, the files.
  var name: String { get }
  /// Runs a text, handing on each statement's answer. Ctrl-C, where it is awaited (`Interrupt.during`), breaks off the statement under way.
  ///
  /// - Throws: `QueryParseError` where it does not parse: nothing is run then.
  func run(_ text: String, _ options: QueryOptions, emit: (StatementResult) throws -> Void) throws
}

/// What `--server`, `--data` or `--from` name.
func openSource(_ arguments: Arguments) throws -> any QuerySource {
  if ["data", "from", "server"].count(where: arguments.isWritten) > 1 {
    throw UsageError("--server, --data and --from exclude each other")
  }
  if try arguments.isGiven("from") || arguments.usesDirectory() { return try LocalSource(arguments) }
  return try ServerSource(arguments.text("server"))
}
