/// A misuse of the command: exit status 2.
package struct UsageError: Error, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// What a user asked for: flags from the command line, else from the environment, else from the configuration file.
package struct Arguments: Sendable {
  /// What is no flag, in order.
  package var operands: [String] = []
  /// The configuration file as read; `nil` without one. Listeners of `serve` are objects in it.
  package var configuration: ConfigurationValue?
  /// Reads them anew: environment and command line as they were, the file as it is by then.
  package var readAgain: (@Sendable () throws -> Arguments)?
  private var values: [String: [String]] = [:]
  private var flags: [String: Flag]
  private var written: Set<String> = []

  package init(flags: [Flag]) {
    self.flags = Dictionary(flags.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// States that what is given so far stands on the command line.
  package mutating func markWritten() { written = Set(values.keys) }

  package mutating func set(_ name: String, to list: [String]) { values[name] = list }
  package mutating func append(_ name: String, _ value: String) { values[name, default: []].append(value) }

  /// Whether a flag was given anywhere; a default does not count.
  package func isGiven(_ name: String) -> Bool { values[name] != nil }

  /// Whether a flag stands on the command line.
  package func isWritten(_ name: String) -> Bool { written.contains(name) }

  /// Whether a directory, not a server, is meant: what stands on the command line counts first; else a server that the
  /// environment or the file names, since they may name the directory for `serve`.
  ///
  /// - Throws: `UsageError` where the command line names both.
  package func usesDirectory() throws -> Bool {
    if isWritten("data"), isWritten("server") { throw UsageError("--server and --data exclude each other") }
    return isWritten("data") || (isGiven("data") && !isGiven("server"))
  }

  /// Whether a toggle is on.
  package func isOn(_ name: String) -> Bool { values[name]?.last == "true" }

  /// The last value, else the default.
  package func string(_ name: String) -> String? { values[name]?.last ?? flags[name]?.defaultText }

  /// All values, else the default alone.
  package func strings(_ name: String) -> [String] {
    values[name] ?? flags[name]?.defaultText.map { [$0] } ?? []
  }

  /// The value of a flag that has a default.
  package func text(_ name: String) -> String { string(name) ?? "" }

  package func integer(_ name: String) -> Int? { string(name).flatMap { Int($0) } }

  /// Bytes.
  package func byteCount(_ name: String) -> Int? { string(name).flatMap(Quantity.byteCount) }

  /// Nanoseconds, 0 for ever.
  package func nanoseconds(_ name: String) -> Int64? { string(name).flatMap(Quantity.nanoseconds) }
}
