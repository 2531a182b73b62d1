import LineProtocol
import Storage

extension QueryEngine {
  /// Writes the points of a database, measurement by measurement, window by window, in text that is handed on piece by piece; tables window by
  /// window. Memory is bounded whatever there is to export; nothing is merged that lies in one run alone.
  ///
  /// The points are those of one moment. What is damaged ends the export with an error that names the place: what was exported by then lacks
  /// the rest, and is not to be taken for whole.
  ///
  /// - Parameter emit: takes the next bytes.
  /// - Throws: `QueryParseError` for a condition that does not parse; `QueryFailure` with its message; `StorageError`; what `emit` throws.
  public func export(
    _ request: ExportRequest, emit: @escaping (RawSpan) throws -> Void
  ) throws -> ExportSummary {
    let exporter = try Exporter(catalog: catalog, request: request)
    switch request.format {
    case .line, .influx: return try exporter.run(LineExportWriter(), emit: emit)
    case .csv: return try exporter.run(CSVExportWriter(), emit: emit)
    case .jsonl: return try exporter.run(JSONLinesExportWriter(), emit: emit)
    case .sst: return try exporter.runTables(emit: emit)
    }
  }
}

/// Runs one export.
private struct Exporter {
  let catalog: any Catalog
  let request: ExportRequest
  private let condition: Expression?
  private let zone: TimeZoneRules
  /// What is read one after the other: a policy of the form `influx`, else all that a query without a policy would read, as one.
  private let parts: [(policy: PolicyDescription, keyspaces: [KeyspaceID])]

  init(catalog: any Catalog, request: ExportRequest) throws {
    self.catalog = catalog
    self.request = request
    guard let zone = TimeZoneRules.load(request.timeZone) else {
      throw QueryFailure("unable to find time zone \(request.timeZone)")
    }
    self.zone = zone
    condition = try request.condition.map { text throws(QueryParseError) in try Parser.parseCondition(text) }
    guard let all = catalog.policies(of: request.database) else {
      throw QueryFailure("database not found: \(request.database)")
    }
    let isEvery = request.format == .influx && request.policy == nil
    parts = all.filter { isEvery || $0.name == request.policy || (request.policy == nil && $0.isDefault) }.map
    { policy in
      (
        policy,
        isEvery || request.policy != nil ? [policy.keyspace] : catalog.ruledKeyspaces(of: request.database)
      )
    }
    guard !parts.isEmpty else { throw QueryFailure("retention policy not found: \(request.policy ?? "")") }
  }

  func run<Writer: ExportWriter>(
    _ writer: Writer, emit: @escaping (RawSpan) throws -> Void
  ) throws -> ExportSummary {
    let sink = ExportSink(writer, emit: emit)
    if request.format == .influx { sink.append(definitions) }
    for (policy, keyspaces) in parts {
      if request.format == .influx { sink.append(Self.context(policy)) }
      let snapshot = try catalog.snapshot(of: keyspaces)
      for measurement in try measurements(snapshot.measurements()) {
        guard let reading = try reading(of: measurement, snapshot) else { continue }
        sink.begin(measurement: measurement, tagKeys: reading.tagKeys, columns: reading.exported)
        _ = try reading.scan.run(into: sink)
      }
    }
    try sink.flush()
    return sink.summary
  }

  /// The same as tables: a table is of one window, so windows come one after another, and in each the measurements.
  func runTables(emit: @escaping (RawSpan) throws -> Void) throws -> ExportSummary {
    let sink = TableExportSink(database: request.database, emit: emit)
    for (policy, keyspaces) in parts {
      let snapshot = try catalog.snapshot(of: keyspaces)
      // What is asked for of a measurement is the same in all windows, whatever fields one of them has.
      var readings: [[UInt8]: Reading] = [:]
      for measurement in try measurements(snapshot.measurements()) {
        readings[measurement] = try reading(of: measurement, snapshot)
      }
      for window in snapshot.windows {
        try sink.begin(policy, window: window.range)
        if let tables = try wholeTables(of: window, policy, floor: snapshot.floor) {
          for table in tables { try sink.copy(table) }
          continue
        }
        let alone = Snapshot(windows: [window], floor: snapshot.floor, pin: snapshot, reads: snapshot.reads)
        for measurement in try measurements(window.measurements()) {
          guard var reading = readings[measurement] else { continue }
          sink.begin(columns: reading.exported)
          reading.scan.snapshot = alone
          _ = try reading.scan.run(into: sink)
        }
      }
    }
    try sink.finish()
    return sink.summary
  }

  /// The tables of a window, where they are one sorted run without a mask, of which everything is asked for; else `nil`.
  private func wholeTables(of window: WindowSnapshot, _ policy: PolicyDescription, floor: Int64) throws -> [Table]? {
    guard request.condition == nil, request.measurements.isEmpty, window.leftOut == nil else { return nil }
    let tables = window.runs.compactMap { $0 as? Table }
    guard tables.count == window.runs.count, let sequences = tables.first?.sequenceRange else { return nil }
    let start = max(floor, request.times.start ?? .min)
    for table in tables {
      guard table.sequenceRange == sequences, table.timeRange.lowerBound >= start,
        request.times.end.map({ table.timeRange.upperBound < $0 }) ?? true
      else { return nil }
      // One that was restored, or lies under another policy's rule, says that it is of somewhere else.
      let properties = try table.properties()
      guard properties.database == request.database, properties.policy == policy.name,
        properties.windowStart..<properties.windowEnd == window.range
      else { return nil }
    }
    return tables
  }

  /// Those of some that are asked for.
  private func measurements(_ all: [[UInt8]]) -> [[UInt8]] {
    if request.measurements.isEmpty { return all }
    let wanted = Set(request.measurements.map { Array($0.utf8) })
    return all.filter(wanted.contains)
  }

  /// How a measurement is read.
  private struct Reading {
    var tagKeys: [[UInt8]]
    /// The columns that points have; the scan's may be more, for the condition.
    var exported: [ScanColumn]
    var scan: MeasurementScan
  }

  /// `nil` where it has no points in the time that is asked for.
  private func reading(of measurement: [UInt8], _ snapshot: Snapshot) throws -> Reading? {
    var bounds = try TimeBounds(condition, now: request.now, zone: zone)
    if let start = request.times.start { bounds.start = max(bounds.start ?? .min, start) }
    if let end = request.times.end { bounds.last = min(bounds.last ?? .max, end == .min ? .min : end - 1) }
    let schema = try MeasurementSchema(snapshot, measurement, times: bounds.range)
    let columns = try snapshot.fields(of: measurement, times: bounds.range).map {
      ScanColumn(name: $0.name, type: $0.type, isExact: true)
    }
    guard !columns.isEmpty else { return nil }
    var resolver = ConditionResolver(
      schema: schema, times: TimeExpression(now: request.now, zone: zone), columns: columns)
    let condition = try bounds.rest.map { rest throws(QueryFailure) in try resolver.resolve(rest) }
    let scan = MeasurementScan(
      snapshot: snapshot, measurement: measurement, columns: resolver.columns, condition: condition,
      times: bounds.range, isDescending: false, isCancelled: request.isCancelled)
    return Reading(tagKeys: schema.tagKeys, exported: columns, scan: scan)
  }

  // MARK: InfluxDB's export form

  /// The statements that make the database and what of it is exported.
  private var definitions: String {
    let database = Expression.quoteName(request.database)
    let lines = parts.map { policy, _ in
      let ttl = policy.ttl == 0 ? "INF" : DurationLiteral.print(policy.ttl)
      return
        "CREATE RETENTION POLICY \(Expression.quoteName(policy.name)) ON \(database) DURATION \(ttl) REPLICATION 1 "
        + "SHARD DURATION \(DurationLiteral.print(policy.windowLength))"
        + (policy.isDefault ? " DEFAULT" : "")
    }
    return "# DDL\nCREATE DATABASE \(database)\n" + lines.map { $0 + "\n" }.joined()
      + "# DML\n# CONTEXT-DATABASE:\(request.database)\n"
  }

  private static func context(_ policy: PolicyDescription) -> String {
    "# CONTEXT-RETENTION-POLICY:\(policy.name)\n"
  }
}
