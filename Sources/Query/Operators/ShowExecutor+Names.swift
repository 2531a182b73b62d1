import LineProtocol
import Storage

extension ShowExecutor {
  /// A measurement with everything a listing of names needs.
  private struct Listed {
    var name: [UInt8]
    var snapshots: [Snapshot]
    var schema: MeasurementSchema
    var condition: Condition?
    var times: Range<Int64>
  }

  /// The measurements a statement speaks of, sorted; with its condition, which may name tags and time only.
  private func listed(_ statement: ShowStatement) throws -> [Listed] {
    let resolver = SourceResolver(catalog: catalog, request: request)
    var found: [[UInt8]: [Snapshot]] = [:]
    if try isOfNothing(statement, resolver) { return [] }
    if statement.sources.isEmpty {
      for snapshot in try snapshots(statement, statement.database, resolver) {
        for name in try snapshot.measurements() { found[name, default: []].append(snapshot) }
      }
    } else {
      for source in statement.sources {
        var source = source
        if source.database.isEmpty { source.database = statement.database }
        let snapshots =
          try source.policy.isEmpty
          ? snapshots(statement, source.database, resolver)
          : [resolver.snapshot(database: source.database, policy: source.policy)]
        for snapshot in snapshots {
          for name in try names(source, snapshot) { found[name, default: []].append(snapshot) }
        }
      }
    }
    let bounds = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in
      try TimeBounds(statement.condition, now: request.now, zone: .utc)
    }
    return try found.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { name in
      let snapshots = found[name] ?? []
      var schema = MeasurementSchema()
      for snapshot in snapshots {
        schema.formUnion(try MeasurementSchema(snapshot, name, times: bounds.range))
      }
      let times = TimeExpression(now: request.now, zone: .utc)
      var conditions = ConditionResolver(schema: schema, times: times, columns: [])
      let condition = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in
        try bounds.rest.map { rest throws(QueryFailure) in try conditions.resolve(rest) }
      }
      return Listed(
        name: name, snapshots: snapshots, schema: schema, condition: condition, times: bounds.range)
    }
  }

  /// What is read of a database where no policy is named.
  private func snapshots(
    _ statement: ShowStatement, _ database: String, _ resolver: SourceResolver
  ) throws -> [Snapshot] {
    guard statement.isOfDefaultPolicy else { return try resolver.snapshots(database: database) }
    return [try resolver.snapshot(database: database, policy: "")]
  }

  /// Whether a list of measurements, or an estimate, is asked of a database that is not there: empty, as InfluxDB has it,
  /// where other statements fail. Grafana's test of a data source is such a list.
  private func isOfNothing(_ statement: ShowStatement, _ resolver: SourceResolver) throws -> Bool {
    guard statement.kind == .measurements || statement.isEstimate else { return false }
    return catalog.policies(of: try resolver.database(statement.database)) == nil
  }

  private func names(_ source: MeasurementSource, _ snapshot: Snapshot) throws -> [[UInt8]] {
    let all = try snapshot.measurements()
    guard let pattern = source.regex else { return all.filter { $0.elementsEqual(source.name.utf8) } }
    let regex: Regex
    do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
    return all.filter { regex.matches($0) }
  }

  /// Whether only some series of a measurement are asked for.
  private func isNarrowed(_ listed: Listed) -> Bool {
    listed.condition != nil || listed.times != .min ..< .max
  }

  /// Calls `body` with the tags of every series that satisfies the condition, until it answers `false`; windows repeat them.
  private func eachSeries(_ listed: Listed, _ body: (SeriesTags, [UInt8], Range<Int>) -> Bool) throws {
    let predicate = listed.condition?.predicate
    var check = InterruptCheck(request.isCancelled)
    for snapshot in listed.snapshots {
      let seen = snapshot.clipped(listed.times)
      for window in snapshot.windows(in: listed.times) {
        if request.isCancelled() { throw QueryFailure.interrupted }
        var pieces = try WindowSeriesPieces(window, of: listed.name, where: predicate, times: seen)
        while let series = try pieces.next() {
          for index in 0..<series.count {
            try check.pass(Self.seriesStepCount)
            let range = series.keyRange(index)
            let tags = SeriesTags(series.keyBytes, range)
            if let condition = listed.condition,
              case .constant(false) = condition.settled({ tags.value(of: $0) })
            {
              continue
            }
            if !body(tags, series.keyBytes, range) { return }
          }
        }
      }
    }
  }

  /// What a look at a series costs.
  private static let seriesStepCount = 8

  private func page<Element>(_ all: [Element], _ statement: ShowStatement) -> [Element] {
    Array(all.dropFirst(statement.offset).prefix(statement.limit == 0 ? all.count : statement.limit))
  }

  // MARK: Statements

  func measurements(_ statement: ShowStatement) throws -> [ResultSeries] {
    var statement = statement
    if let measurement = statement.measurement { statement.sources = [measurement] }
    let found = try page(hitNames(statement), statement)
    return found.isEmpty ? [] : [ListBuilder.names("measurements", "name", found)]
  }

  /// Measurements of which a series satisfies the condition.
  private func hitNames(_ statement: ShowStatement) throws -> [[UInt8]] {
    try listed(statement).filter { one in
      guard isNarrowed(one) else { return true }
      var isHit = false
      try eachSeries(one) { _, _, _ in
        isHit = true
        return false
      }
      return isHit
    }.map(\.name)
  }

  func tagKeys(_ statement: ShowStatement) throws -> [ResultSeries] {
    let wanted = try keyTest(statement.key)
    let found = try listed(statement).compactMap { one -> ResultSeries? in
      let keys = page(try hitTagKeys(one).filter(wanted), statement)
      return keys.isEmpty ? nil : ListBuilder.names(String(decoding: one.name, as: UTF8.self), "tagKey", keys)
    }
    return Array(
      found.dropFirst(statement.seriesOffset).prefix(
        statement.seriesLimit == 0 ? found.count : statement.seriesLimit))
  }

  private func hitTagKeys(_ listed: Listed) throws -> [[UInt8]] {
    guard isNarrowed(listed) else { return listed.schema.tagKeys }
    var keys = Set<[UInt8]>()
    try eachSeries(listed) { tags, _, _ in
      tags.visit { key, _ in
        keys.insert(Array(key))
        return true
      }
      return true
    }
    return try keys.sorted(unless: request.isCancelled) { $0.lexicographicallyPrecedes($1) }
  }

  /// What `WITH KEY` says of a key.
  private func keyTest(_ condition: ShowStatement.KeyCondition?) throws -> ([UInt8]) -> Bool {
    switch condition {
    case nil: return { _ in true }
    case .equal(let name): return { $0.elementsEqual(name.utf8) }
    case .notEqual(let name): return { !$0.elementsEqual(name.utf8) }
    case .oneOf(let names):
      let wanted = Set(names.map { Array($0.utf8) })
      return { wanted.contains($0) }
    case .matches(let pattern), .matchesNot(let pattern):
      let regex: Regex
      do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
      if case .matches = condition { return { regex.matches($0) } }
      return { !regex.matches($0) }
    }
  }

  func tagValues(_ statement: ShowStatement) throws -> [ResultSeries] {
    try listed(statement).compactMap { one in
      var list = ListBuilder(.string, .string)
      var (skipped, left) = (statement.offset, statement.limit == 0 ? Int.max : statement.limit)
      for (key, values) in try tagValues(one, statement) {
        let taken = min(skipped, values.count)..<min(values.count, taken(skipped, left))
        list.append(key, values, taken)
        skipped -= taken.lowerBound
        left -= taken.count
      }
      guard list.rowCount > 0 else { return nil }
      return list.series(String(decoding: one.name, as: UTF8.self), ["key", "value"])
    }
  }

  private func taken(_ skipped: Int, _ left: Int) -> Int {
    let (end, overflow) = skipped.addingReportingOverflow(left)
    return overflow ? .max : end
  }

  /// The keys that a statement asks for, sorted, each with its values. Where tags alone decide, and whole windows are asked for, no list of
  /// series is made.
  ///
  /// - Parameter isCounted: all values are wanted, whatever the limit.
  private func tagValues(
    _ listed: Listed, _ statement: ShowStatement, isCounted: Bool = false
  ) throws -> [(key: [UInt8], values: TagValueList)] {
    let wanted = try keyTest(statement.key)
    let keys = listed.schema.tagKeys.filter(wanted)
    guard !keys.isEmpty else { return [] }
    let countMax = statement.limit == 0 || isCounted ? Int.max : taken(statement.offset, statement.limit)
    if let known = try knownTagValues(keys, listed, countMax: countMax) { return known }
    var found: [Set<[UInt8]>] = Array(repeating: [], count: keys.count)
    try eachSeries(listed) { tags, _, _ in
      for (place, key) in keys.enumerated() {
        let value = tags.value(of: key)
        if !value.isEmpty { found[place].insert(Array(value)) }
      }
      return true
    }
    return try zip(keys, found).map { key, values in
      (key, TagValueList(sorted: try values.sorted(unless: request.isCancelled) { $0.lexicographicallyPrecedes($1) }))
    }
  }

  /// What the indexes of tags say; `nil` where they do not.
  private func knownTagValues(
    _ keys: [[UInt8]], _ listed: Listed, countMax: Int
  ) throws -> [(key: [UInt8], values: TagValueList)]? {
    let predicate = listed.condition?.seriesPredicate
    if predicate == nil, listed.condition != nil { return nil }
    var all: [(key: [UInt8], values: TagValueList)] = []
    for key in keys {
      if request.isCancelled() { throw QueryFailure.interrupted }
      var values = TagValueList()
      for snapshot in listed.snapshots {
        let found = try snapshot.tagValues(
          of: listed.name, key: key, where: predicate, times: listed.times, countMax: countMax,
          isCancelled: request.isCancelled)
        guard let found else { return nil }
        values = values.union(found)
      }
      all.append((key, values))
    }
    return all
  }

  func fieldKeys(_ statement: ShowStatement) throws -> [ResultSeries] {
    try listed(statement).compactMap { one in
      var keys = Set<FieldKey>()
      for snapshot in one.snapshots { keys.formUnion(try snapshot.fields(of: one.name)) }
      let sorted = keys.sorted { a, b in
        a.name == b.name ? a.type < b.type : a.name.lexicographicallyPrecedes(b.name)
      }
      let shown = page(sorted, statement)
      guard !shown.isEmpty else { return nil }
      var list = ListBuilder(.string, .string)
      for key in shown { list.append(.string(key.name), .text(key.type.name)) }
      return list.series(String(decoding: one.name, as: UTF8.self), ["fieldKey", "fieldType"])
    }
  }

  func series(_ statement: ShowStatement) throws -> [ResultSeries] {
    let keys = page(try seriesKeys(statement), statement)
    return keys.isEmpty ? [] : [ListBuilder.names("", "key", keys)]
  }

  /// Keys as line protocol writes them, sorted.
  private func seriesKeys(_ statement: ShowStatement) throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    for one in try listed(statement) {
      var found = Set<[UInt8]>()
      try eachSeries(one) { _, bytes, range in
        found.insert(Array(bytes[range]))
        return true
      }
      var check = InterruptCheck(request.isCancelled)
      var texts: [[UInt8]] = []
      for bytes in found {
        try check.pass(Self.seriesStepCount)
        if let key = SeriesKey(validating: bytes) { texts.append(Self.escaped(key)) }
      }
      keys += try texts.sorted(unless: request.isCancelled) { $0.lexicographicallyPrecedes($1) }
    }
    return keys
  }

  /// A series as it begins a line: commas, blanks and, in tags, equal signs escaped.
  private static func escaped(_ key: SeriesKey) -> [UInt8] {
    var out: [UInt8] = []
    for byte in key.parts.measurement {
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") { out.append(UInt8(ascii: "\\")) }
      out.append(byte)
    }
    return out + SeriesTags(key.bytes, 0..<key.bytes.count).text
  }

  // MARK: Cardinality

  func cardinality(_ statement: ShowStatement) throws -> [ResultSeries] {
    if statement.isEstimate {
      let isOfSeries = statement.kind == .seriesCardinality
      let number = try isOfSeries ? seriesKeys(statement).count : hitNames(statement).count
      return [count(number, "", "cardinality estimation")]
    }
    if statement.kind == .measurementCardinality {
      let number = try hitNames(statement).count
      return number == 0 || statement.offset > 0 ? [] : [count(number, "", "count")]
    }
    // A list of one row each: an offset passes it. What has none is not listed.
    let all = try listed(statement)
    guard statement.offset == 0 else { return [] }
    return try all.compactMap { one in
      let number = try cardinality(statement, of: one)
      return number == 0 ? nil : count(number, String(decoding: one.name, as: UTF8.self), "count")
    }
  }

  private func cardinality(_ statement: ShowStatement, of listed: Listed) throws -> Int {
    switch statement.kind {
    case .seriesCardinality:
      var found = Set<[UInt8]>()
      try eachSeries(listed) { _, bytes, range in
        found.insert(Array(bytes[range]))
        return true
      }
      return found.count
    case .tagKeyCardinality: return try hitTagKeys(listed).count
    case .tagValuesCardinality: return try tagValues(listed, statement, isCounted: true).reduce(0) { $0 + $1.values.count }
    default: return listed.schema.fieldNames.count
    }
  }

  private func count(_ count: Int, _ name: String, _ column: String) -> ResultSeries {
    var list = ListBuilder(.integer)
    list.append(.integer(Int64(count)))
    return list.series(name, [column])
  }
}
