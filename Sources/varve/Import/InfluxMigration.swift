import Client
import LineProtocol
import Query
import Storage

/// Brings a database of a running InfluxDB 1.x into a target, over HTTP: its retention policies, then measurement by measurement
/// and shard by shard, and at the end compares both, series by series.
///
/// A shard of a measurement is what is asked for at a time, read as it comes; where it was stored the place is kept, so that a run which
/// was stopped goes on there. Written again, points replace themselves.
final class InfluxMigration {
  /// A column of points: one field with one type.
  struct Field: Equatable {
    var name: String
    var type: FieldType
    /// As the statement names it: with its type where the field has several.
    var text: String
  }
  struct Shard: Equatable {
    var start: Int64
    var end: Int64
  }

  let source: HTTPClient
  let target: any ImportTarget
  let database: String
  /// `nil`: all.
  let policy: String?
  /// What the database is called in the target.
  let targetDatabase: String
  /// Points from then on are not taken: what is written meanwhile is not compared.
  let end: Int64
  var place: ImportPlace
  private(set) var pointCount = 0
  private var progress = ImportProgress()

  init(
    _ source: HTTPClient, into target: any ImportTarget, database: String, policy: String?,
    as targetDatabase: String,
    end: Int64, place: ImportPlace
  ) {
    (self.source, self.target, self.database, self.policy) = (source, target, database, policy)
    (self.targetDatabase, self.end, self.place) = (targetDatabase, end, place)
    source.isCancelled = { Interrupt.wasPressed }
  }

  /// Brings all over.
  ///
  /// - Returns: what differs afterwards, a line each; empty where nothing does.
  func run() throws -> [String] {
    let policies = try policies()
    try target.use(database: targetDatabase, policy: nil)
    for one in policies { try make(one) }
    let shards = try shards()
    var differences: [String] = []
    for one in policies {
      try target.use(database: targetDatabase, policy: one.name)
      for measurement in try measurements() {
        let fields = try fields(of: measurement, one.name)
        let times = one.start(at: end)..<end
        for shard in shards[one.name] ?? [] {
          let part = Shard(start: max(shard.start, times.lowerBound), end: min(shard.end, times.upperBound))
          try bringSlices(measurement, fields, part, of: one.name)
        }
        differences += try InfluxComparison(self, policy: one.name, measurement: measurement, fields: fields)
          .differences(from: times.lowerBound)
      }
    }
    progress.clear()
    return differences
  }

  // MARK: What is there

  private struct Policy {
    var name: String
    var duration: String
    var shardDuration: String
    var isDefault: Bool

    /// The first time at which its points will not expire while they are brought over; in the margin they may.
    func start(at now: Int64) -> Int64 {
      guard let ttl = Quantity.nanoseconds(duration), ttl > 0 else { return .min }
      return now - ttl + 10 * 60_000_000_000
    }
  }

  private func ask(_ statement: String) throws -> [ResultSeries] {
    try source.answer(statement, [("db", database)])
  }

  private func policies() throws -> [Policy] {
    let name = InfluxQLNames.written(database)
    let rows = try ask("SHOW RETENTION POLICIES ON \(name)").flatMap(\.texts)
    guard !rows.isEmpty else { throw CommandFailure("\(source.baseURL) has no database \(database)") }
    let all = rows.map { row in
      Policy(
        name: row["name"] ?? "", duration: row["duration"] ?? "0s",
        shardDuration: row["shardGroupDuration"] ?? "0s",
        isDefault: row["default"] == "true")
    }
    let wanted = all.filter { policy == nil || $0.name == policy }
    guard !wanted.isEmpty else { throw CommandFailure("\(database) has no retention policy \(policy ?? "")") }
    return wanted
  }

  /// Makes a policy with its TTL; one that is there stays as it is.
  private func make(_ one: Policy) throws {
    let database = InfluxQLNames.written(targetDatabase)
    let known = try target.ask("SHOW RETENTION POLICIES ON \(database)").flatMap(\.texts).compactMap {
      $0["name"]
    }
    if known.contains(one.name) { return }
    let duration = one.duration == "0s" ? "INF" : one.duration
    let shard = one.shardDuration == "0s" ? "" : " SHARD DURATION \(one.shardDuration)"
    try target.execute(
      "CREATE RETENTION POLICY \(InfluxQLNames.written(one.name)) ON \(database) DURATION \(duration) REPLICATION 1\(shard)"
        + (one.isDefault ? " DEFAULT" : ""))
  }

  private func measurements() throws -> [String] {
    try ask("SHOW MEASUREMENTS").flatMap(\.texts).compactMap { $0["name"] }
  }

  /// The shards of each policy, in order.
  private func shards() throws -> [String: [Shard]] {
    var found: [String: [Shard]] = [:]
    for row in try ask("SHOW SHARDS").flatMap(\.texts) where row["database"] == database {
      guard let start = row["start_time"].flatMap({ QueryTime.parse($0) }),
        let end = row["end_time"].flatMap({ QueryTime.parse($0) })
      else { continue }
      found[row["retention_policy"] ?? "", default: []].append(Shard(start: start, end: end))
    }
    return found.mapValues { $0.sorted { $0.start < $1.start } }
  }

  private func fields(of measurement: String, _ policy: String) throws -> [Field] {
    let source = "\(InfluxQLNames.written(policy)).\(InfluxQLNames.written(measurement))"
    let rows = try ask("SHOW FIELD KEYS FROM \(source)").flatMap(\.texts)
    let names = rows.compactMap { $0["fieldKey"] }
    return rows.compactMap { row in
      guard let name = row["fieldKey"], let type = FieldType(named: row["fieldType"] ?? "") else {
        return nil
      }
      let isOne = names.count { $0 == name } == 1
      let text = InfluxQLNames.written(name) + (isOne ? "" : "::\(row["fieldType"] ?? "")")
      return Field(name: name, type: type, text: text)
    }
  }

  // MARK: Points

  /// Brings a shard over in slices of time of about as many points, each kept as done when it is stored.
  private func bringSlices(_ measurement: String, _ fields: [Field], _ shard: Shard, of policy: String) throws
  {
    let key = "\(source.baseURL)/\(database)/\(policy)/\(measurement)"
    let begin = max(place.time(of: key) ?? .min, shard.start)
    guard !fields.isEmpty, begin < shard.end else { return }
    // Slices that grow through time without points would meet the first ones with a length that fits none.
    guard var start = try firstTime(of: measurement, fields, Shard(start: begin, end: shard.end), of: policy)
    else { return try place.advance(key, to: Int(shard.end)) }
    while start < shard.end {
      let end = min(shard.end, start.addingReportingOverflow(sliceLength).partialValue)
      let before = pointCount
      try bring(measurement, fields, Shard(start: start, end: end), of: policy)
      try place.advance(key, to: Int(end))
      if pointCount - before < Self.slicePointCount / 2 {
        sliceLength = min(sliceLength * 2, Self.sliceLengthMax)
      }
      if pointCount - before > Self.slicePointCount * 2 {
        sliceLength = max(sliceLength / 2, Self.sliceLengthMin)
      }
      start = end
    }
  }

  /// The time of the first point of a shard; `nil` where it has none.
  private func firstTime(
    of measurement: String, _ fields: [Field], _ shard: Shard, of policy: String
  ) throws -> Int64? {
    let statement = select(measurement, fields, shard, of: policy) + " LIMIT 1"
    return try ask(statement).compactMap { $0.timestamps?.first }.min()
  }

  /// The statement of a shard's points, without its groups.
  private func select(
    _ measurement: String, _ fields: [Field], _ shard: Shard, of policy: String
  ) -> String {
    let names = "\(InfluxQLNames.written(policy)).\(InfluxQLNames.written(measurement))"
    let columns = fields.map(\.text).joined(separator: ", ")
    return "SELECT \(columns) FROM \(names) WHERE time >= \(shard.start) AND time < \(shard.end)"
  }

  private var sliceLength: Int64 = 3_600_000_000_000
  private static let slicePointCount = 50_000
  private static let sliceLengthMin: Int64 = 1_000_000_000
  private static let sliceLengthMax: Int64 = 30 * 86_400_000_000_000

  private func bring(_ measurement: String, _ fields: [Field], _ shard: Shard, of policy: String) throws {
    let statement = select(measurement, fields, shard, of: policy) + " GROUP BY *"
    var reading = InfluxReading(measurement: measurement, fields: fields)
    let parameters = [
      (name: "q", value: statement), ("db", database), ("epoch", "ns"), ("chunked", "true"), ("chunk_size", "10000"),
    ]
    let response = try source.postForm("/query", parameters, receiving: { [self] piece in
      try reading.take(piece)
      if reading.lines.count >= 4 << 20 { try send(&reading) }
      progress.show(
        "\(policy).\(measurement) from \(QueryTime.print(shard.start))", pointCount + reading.pointCount)
    })
    guard response.isSuccess else {
      throw CommandFailure("\(source.baseURL): \(statement): \(errorText(of: response))")
    }
    try reading.finish()
    try send(&reading)
  }

  private func send(_ reading: inout InfluxReading) throws {
    guard reading.pointCount > 0 else { return }
    let outcome = try unsafe reading.lines.withUnsafeBytes { try unsafe target.write($0, firstLine: 1) }
    // What InfluxDB held is taken, or the migration is not whole.
    if let refused = outcome.refused.first {
      throw CommandFailure("the target refused a point: \(refused.reason)")
    }
    pointCount += reading.pointCount
    reading.clear()
  }
}

extension ResultSeries {
  /// The rows, each as texts by column.
  fileprivate var texts: [[String: String]] {
    (0..<rowCount).map { row in
      var cells: [String: String] = [:]
      for (name, column) in zip(columnNames.suffix(columns.count), columns) where column.isPresent(row) {
        cells[name] =
          switch column.key.type {
          case .string: String(decoding: column.string(row), as: UTF8.self)
          case .boolean: column.values[row] == 0 ? "false" : "true"
          default: "\(column.values[row])"
          }
      }
      return cells
    }
  }
}
