import LineProtocol
import Query
import Storage

/// Compares a measurement in InfluxDB with what was brought over: each series' counts, and sums of its numbers.
struct InfluxComparison {
  private let migration: InfluxMigration
  private let policy: String
  private let measurement: String
  private let fields: [InfluxMigration.Field]
  /// Sums of floats may be added up in another order.
  private static let tolerance = 1e-9

  init(_ migration: InfluxMigration, policy: String, measurement: String, fields: [InfluxMigration.Field]) {
    (self.migration, self.policy, self.measurement, self.fields) = (migration, policy, measurement, fields)
  }

  /// What differs, a line each, of the points from a time on.
  func differences(from start: Int64) throws -> [String] {
    guard !fields.isEmpty else { return [] }
    let names = "\(InfluxQLNames.written(policy)).\(InfluxQLNames.written(measurement))"
    var calls = fields.map { "count(\($0.text))" }
    let numbers = fields.filter { $0.type <= .unsigned }
    calls += numbers.map { "sum(\($0.text))" }
    // The least of 64 bits is a time that InfluxDB does not know.
    let from = start == .min ? "" : "time >= \(start) AND "
    let statement =
      "SELECT \(calls.joined(separator: ", ")) FROM \(names) WHERE \(from)time < \(migration.end) GROUP BY *"
    let theirs = Self.byTags(try migration.source.answer(statement, [("db", migration.database)]))
    let ours = Self.byTags(try migration.target.ask(statement))
    var found: [String] = []
    for tags in Set(theirs.keys).union(ours.keys).sorted() {
      for (index, call) in calls.enumerated() {
        let (a, b) = (theirs[tags]?[index] ?? nil, ours[tags]?[index] ?? nil)
        if Self.isSame(a ?? 0, b ?? 0) { continue }
        found.append("\(policy).\(measurement)\(tags): \(call) is \(a ?? 0) there and \(b ?? 0) here")
      }
    }
    return found
  }

  private static func isSame(_ a: Double, _ b: Double) -> Bool {
    a == b || (a - b).magnitude <= tolerance * max(a.magnitude, b.magnitude)
  }

  /// The numbers of each series' one row.
  private static func byTags(_ answer: [ResultSeries]) -> [String: [Double?]] {
    var found: [String: [Double?]] = [:]
    for series in answer where series.rowCount > 0 {
      let tags = series.tags.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map {
        ",\($0.key)=\($0.value)"
      }.joined()
      found[tags] = series.columns.map { column in
        guard column.isPresent(0) else { return nil }
        let word = column.values[0]
        return switch column.key.type {
        case .float: Double(bitPattern: word)
        case .unsigned: Double(word)
        default: Double(Int64(bitPattern: word))
        }
      }
    }
    return found
  }
}
