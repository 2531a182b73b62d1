import LineProtocol
import Query
import Storage

/// The names that a source has now, for completion: asked when they are first wanted, and again after some seconds.
final class Schema {
  private let ask: (String) throws -> [StatementResult]
  private var answers: [String: (names: [String], time: Double)] = [:]
  private static let secondsMax = 5.0
  private static let valueCountMax = 500

  /// - Parameter ask: runs a text where the shell's statements run.
  init(_ ask: @escaping (String) throws -> [StatementResult]) { self.ask = ask }

  var databases: [String] { names("SHOW DATABASES") }
  var measurements: [String] { names("SHOW MEASUREMENTS") }

  func tagKeys(of measurements: [String]) -> [String] { names("SHOW TAG KEYS\(from(measurements))") }
  func fieldKeys(of measurements: [String]) -> [String] { names("SHOW FIELD KEYS\(from(measurements))") }
  func tagValues(of key: String, in measurements: [String]) -> [String] {
    names(
      "SHOW TAG VALUES\(from(measurements)) WITH KEY = \(InfluxQLNames.written(key)) LIMIT \(Self.valueCountMax)",
      column: 1)
  }

  /// What was learned is asked again.
  func forget() { answers = [:] }

  private func from(_ measurements: [String]) -> String {
    measurements.isEmpty ? "" : " FROM " + measurements.map(InfluxQLNames.written).joined(separator: ", ")
  }

  /// The texts of a column of an answer. A source that gives none completes nothing.
  private func names(_ statement: String, column: Int = 0) -> [String] {
    let now = monotonicSeconds()
    if let known = answers[statement], now - known.time < Self.secondsMax { return known.names }
    guard let results = try? ask(statement) else { return [] }
    let names = results.flatMap(\.series).flatMap { series in
      guard column < series.columns.count, series.columns[column].key.type == .string else { return [] as [String] }
      let texts = series.columns[column]
      return (0..<series.rowCount).filter(texts.isPresent).map { String(decoding: texts.string($0), as: UTF8.self) }
    }
    let sorted = Set(names).sorted()
    answers[statement] = (sorted, now)
    return sorted
  }
}
