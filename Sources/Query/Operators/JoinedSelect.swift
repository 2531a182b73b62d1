import LineProtocol
import Storage

/// Runs a plan whose values are of several measurements: each is read by itself, then the values of equal groups are laid beside each
/// other by time.
///
/// A row has the time of a bucket, or of rows where there are no buckets; what a measurement lacks there is null, or filled as an
/// empty bucket is. All of it is held.
struct JoinedSelect {
  let planned: PlannedSelect
  let names: QualifiedNames
  let limits: QueryLimits
  let isCancelled: @Sendable () -> Bool
  private(set) var messages: [ResultMessage] = []
  private(set) var counters = ScanCounters()
  /// The plan with a stream for each value.
  private let plan: SelectPlan

  init(
    _ planned: PlannedSelect, _ names: QualifiedNames, limits: QueryLimits, isCancelled: @escaping @Sendable () -> Bool
  ) throws(QueryFailure) {
    self.planned = planned
    self.names = names
    self.limits = limits
    self.isCancelled = isCancelled
    var plan = planned.plan
    guard plan.auxiliaries.isEmpty else {
      throw QueryFailure("fields beside a selector are of its point: with several measurements there are several")
    }
    if plan.isRaw {
      plan.streams = plan.references.indices.map { SelectPlan.StreamPlan(input: .rows($0), transform: nil, function: "") }
    }
    self.plan = plan
  }

  mutating func run() throws -> [ResultSeries] {
    var streams: [[[UInt8]]: [Stream]] = [:]
    var select = planned.select(0, limits: limits, isCancelled: isCancelled, plan: plan)
    let empty = plan.streams.map { Stream(select.answerType(of: $0)) }
    for (place, indices) in try streamsBySource() {
      var part = try runner(place, indices)
      for group in try part.aggregateGroups() {
        for (column, index) in indices.enumerated() {
          streams[group.tagValues, default: empty][index] = Stream(times: group.times, column: group.columns[column])
        }
      }
      messages += part.messages.filter { !messages.contains($0) }
      counters += part.counters
    }
    let order = try streams.keys.sorted(unless: isCancelled) { a, b in
      for (x, y) in zip(a, b) where x != y { return x.lexicographicallyPrecedes(y) }
      return false
    }
    let groups = try order.compactMap { values throws(QueryFailure) -> MeasurementSelect.Group? in
      let (times, columns) = try StreamJoin.join(
        streams[values] ?? empty, fill: plan.fill, isDescending: plan.isDescending, isInterrupted: isCancelled)
      return times.isEmpty ? nil : MeasurementSelect.Group(tagValues: values, times: times, columns: columns)
    }
    let measurements = planned.sources.map(\.name).sorted { $0.lexicographicallyPrecedes($1) }
    select.source.name = Array(measurements.joined(separator: [UInt8(ascii: ",")]))
    return try select.series(
      of: groups, seriesLimit: planned.statement.seriesLimit, seriesOffset: planned.statement.seriesOffset)
  }

  /// What reads each source of which a value is asked for.
  func selects() throws(QueryFailure) -> [MeasurementSelect] {
    var found: [MeasurementSelect] = []
    for (place, indices) in try streamsBySource() { found.append(try runner(place, indices)) }
    return found
  }

  /// The indices of the streams of each source that has any.
  private func streamsBySource() throws(QueryFailure) -> [(place: Int, streams: [Int])] {
    var found: [Int: [Int]] = [:]
    for (index, stream) in plan.streams.enumerated() {
      guard let (place, _) = try names.owner(of: plan.argument(of: stream).name) else { continue }
      found[place, default: []].append(index)
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// What reads the streams of one source, by the names that they have there.
  private func runner(_ place: Int, _ indices: [Int]) throws(QueryFailure) -> MeasurementSelect {
    var own = plan
    own.schema = planned.schemas[place]
    // Rows are counted when all are side by side.
    (own.limit, own.offset, own.isPart) = (0, 0, plan.streams.count > 1)
    for index in own.references.indices { own.references[index].name = try ownName(own.references[index].name) }
    own.streams = []
    for index in indices {
      var stream = plan.streams[index]
      if case .call(var call) = stream.input {
        call.argument.name = try ownName(call.argument.name)
        stream.input = .call(call)
      }
      own.streams.append(stream)
    }
    var part = planned
    part.bounds.rest = try names.condition(planned.bounds.rest, of: place)
    return part.select(place, limits: limits, isCancelled: isCancelled, plan: own)
  }

  private func ownName(_ name: String) throws(QueryFailure) -> String { try names.owner(of: name)?.name ?? name }
}
