import LineProtocol
import Storage

extension MeasurementSelect {
  /// One scan's part of an aggregate statement: streams that look back equally far.
  private struct Part {
    /// Nanoseconds before the first bucket, or after the last in descending order.
    var lookback: Int
    /// Indices of streams whose aggregates accumulate.
    var accumulated: [Int] = []
    /// Indices of streams that need the rows.
    var kept: [Int] = []
    /// What alone is read for them; `nil`: whatever they need, in one scan.
    var only: Reference?
  }

  /// The groups of a statement with calls.
  mutating func aggregateGroups() throws -> [Group] {
    try checkTypes()
    guard let range = try range() else { return [] }
    guard let needed = narrowableRowCount else { return try groups(in: range, isWhole: true) }
    var buckets = Int64(needed)
    while true {
      let part = narrowed(range, to: buckets)
      let found = try groups(in: part, isWhole: part == range)
      if part == range || !found.isEmpty && found.allSatisfy({ hasAll($0, rows: needed) }) { return found }
      buckets = buckets.multipliedReportingOverflow(by: 16).partialValue
    }
  }

  /// Whether a group of the first buckets is as it would be of all of them: with so many rows, and with a value in each column that is
  /// filled where its stream has any.
  private func hasAll(_ group: Group, rows: Int) -> Bool {
    group.times.count >= rows
      && zip(plan.streams, group.columns).allSatisfy { stream, column in
        guard column.presentCount == 0, case .call(let call) = stream.input,
          case .field = call.argument.meaning(in: schema)
        else { return true }
        if case .value = plan.fill { return false }
        return !(call.function.isCount && plan.fill == .null)
      }
  }

  // MARK: Ranges

  /// The times to read; with buckets and no lower bound they begin at the first point. `nil`: there is nothing.
  private func range() throws -> Range<Int64>? {
    let asked = bounds.range
    guard !asked.isEmpty else { return nil }
    if source.isDerived, plan.grouping.interval == 0 { return .min ..< .max }
    guard plan.grouping.interval > 0, bounds.start == nil else { return asked }
    let seen = source.snapshot.clipped(asked)
    for window in source.snapshot.windows(in: asked) {
      var pieces = try WindowSeriesPieces(window, of: source.name, where: nil, times: seen)
      var first: Int64?
      while let series = try pieces.next() {
        if isCancelled() { throw QueryFailure.interrupted }
        for index in 0..<series.count { first = min(first ?? .max, series.timeRange(index).lowerBound) }
      }
      if let first { return max(first, seen.lowerBound)..<asked.upperBound }
    }
    return nil
  }

  /// The rows wanted, where reading only the first buckets in the order of the answer may be enough: an area in a bucket goes on to the
  /// first point behind it.
  private var narrowableRowCount: Int? {
    guard plan.grouping.interval > 0, plan.grouping.tagKeys.isEmpty, let needed = plan.rowCountNeeded,
      needed < 1 << 20, zone == .utc, !plan.grouping.isCalendar,
      plan.streams.allSatisfy({ $0.transform == nil && orderedArgument(of: $0) == nil })
    else { return nil }
    switch plan.fill {
    case .previous, .linear: return nil
    default: return needed
    }
  }

  /// The first `count` buckets of a range in the order of the answer; all of it if that is not more.
  private func narrowed(_ range: Range<Int64>, to count: Int64) -> Range<Int64> {
    let interval = plan.grouping.interval
    let (length, overflow) = interval.multipliedReportingOverflow(by: count)
    guard !overflow, range.lowerBound > .min + length, range.upperBound < .max - length else { return range }
    let offset = plan.grouping.offset
    if plan.isDescending {
      let end = TimeLiteral.floorDivide(range.upperBound - 1 - offset, interval) + 1
      return max(range.lowerBound, (end - count) * interval + offset)..<range.upperBound
    }
    let start = TimeLiteral.floorDivide(range.lowerBound - offset, interval)
    return range.lowerBound..<min(range.upperBound, (start + count) * interval + offset)
  }

  private func extended(_ range: Range<Int64>, by lookback: Int) -> Range<Int64> {
    if let calendar = plan.grouping.calendar(in: zone), lookback > 0 {
      let places = calendar.place(of: range.lowerBound)...calendar.place(of: max(range.upperBound - 1, range.lowerBound))
      return plan.isDescending
        ? range.lowerBound..<max(range.upperBound, calendar.start(of: places.upperBound + Int64(lookback) + 1))
        : min(range.lowerBound, calendar.start(of: places.lowerBound - Int64(lookback)))..<range.upperBound
    }
    let (length, overflow) = plan.grouping.interval.multipliedReportingOverflow(by: Int64(lookback))
    guard !overflow, lookback > 0 else { return range }
    if plan.isDescending {
      let end = range.upperBound.addingReportingOverflow(length)
      return range.lowerBound..<(end.overflow ? .max : end.partialValue)
    }
    let start = range.lowerBound.subtractingReportingOverflow(length)
    return (start.overflow ? .min : start.partialValue)..<range.upperBound
  }

  /// A subquery's rows carry the times of buckets, of which the first may begin before the range: all are read.
  private func coveringDerived(_ range: Range<Int64>) -> Range<Int64> {
    if source.isDerived, let calendar = plan.grouping.calendar(in: zone) {
      return calendar.start(of: calendar.place(of: range.lowerBound))..<range.upperBound
    }
    guard source.isDerived, plan.grouping.interval > 0, range.lowerBound > .min + plan.grouping.interval
    else {
      return range
    }
    let interval = Int128(plan.grouping.interval)
    let rest = (Int128(range.lowerBound) - Int128(plan.grouping.offset)) % interval
    return Int64(clamping: Int128(range.lowerBound) - (rest < 0 ? rest + interval : rest))..<range.upperBound
  }

  private func grid(_ range: Range<Int64>) throws -> TimeGrid {
    guard plan.grouping.interval > 0 else { return TimeGrid(single: bounds.start ?? 0) }
    let isOrdered = plan.streams.contains { stream in
      if case .call(let call) = stream.input { call.function == .first || call.function == .last } else { false }
    }
    return try TimeGrid(
      range, plan.grouping, zone: zone, countMax: limits.cellCountMax, isOrdered: isOrdered)
  }

  // MARK: Checks

  func checkTypes() throws {
    for stream in plan.streams {
      guard case .field(let column) = plan.argument(of: stream).meaning(in: schema) else { continue }
      var type = column.type
      if case .call(let call) = stream.input {
        guard call.function.takes(type) else { throw Self.unsupported(call.function.rawValue, type) }
        type = call.function.answerType(for: type)
      }
      switch stream.transform {
      case nil, .elapsed: break
      default: if type > .unsigned { throw Self.unsupported(stream.function, type) }
      }
    }
  }

  private static func unsupported(_ function: String, _ type: FieldType) -> QueryFailure {
    let prefix = "non_negative_"
    let name = function.hasPrefix(prefix) ? String(function.dropFirst(prefix.count)) : function
    return QueryFailure(
      "unsupported \(name == "cumulative_sum" ? "cumulative sum" : name) iterator type: *query.\(type.name)InterruptIterator",
      part: .call(function))
  }

  // MARK: Running

  private mutating func groups(in range: Range<Int64>, isWhole: Bool) throws -> [Group] {
    var found = GroupStreams(tagKeys: plan.grouping.tagKeys, streamCount: plan.streams.count)
    for part in parts() {
      let times = coveringDerived(extended(range, by: part.lookback))
      if !part.accumulated.isEmpty { try accumulate(part.accumulated, times, &found) }
      if !part.kept.isEmpty { try keep(part.kept, times, &found) }
    }
    // What was broken off is no answer.
    if isCancelled() { throw QueryFailure.interrupted }
    var check = InterruptCheck(isCancelled)
    var groups: [Group] = []
    for group in try found.table.sorted(unless: isCancelled) {
      let parts = found.streams[group].enumerated().map { $1 ?? Stream(answerType(of: plan.streams[$0])) }
      let (times, columns) = try StreamJoin.join(
        parts, fill: plan.fill, isDescending: plan.isDescending, isInterrupted: isCancelled)
      if !times.isEmpty { groups.append(Group(tagValues: found.table.values(group), times: times, columns: columns)) }
      try check.pass(Self.groupStepCount)
    }
    return groups
  }

  /// The groups that the scans of a statement have met, and the streams of each.
  private struct GroupStreams {
    private(set) var table: GroupTable
    private(set) var streams: [[Stream?]] = []
    private let streamCount: Int

    init(tagKeys: [[UInt8]], streamCount: Int) {
      table = GroupTable(tagKeys: tagKeys)
      self.streamCount = streamCount
    }

    /// Takes in the groups of a scan; the number of each here.
    mutating func take(_ groups: GroupTable) -> [Int] {
      let numbers: [Int]
      if table.count == 0 {
        table = groups
        numbers = Array(0..<groups.count)
      } else {
        numbers = (0..<groups.count).map { table.number(of: $0, in: groups) }
      }
      streams += repeatElement(Array(repeating: nil, count: streamCount), count: table.count - streams.count)
      return numbers
    }

    mutating func put(_ stream: Stream, _ index: Int, of group: Int) { streams[group][index] = stream }
  }

  /// What a group costs beside its rows and buckets.
  private static let groupStepCount = 16

  /// The type of a stream's values, were there any.
  func answerType(of stream: SelectPlan.StreamPlan) -> FieldType {
    // What is nowhere at all has no type, and is filled with numbers only where the function gives it one, as `mean` does.
    var type = FieldType.string
    if case .field(let column) = plan.argument(of: stream).meaning(in: plan.schema) { type = column.type }
    if case .call(let call) = stream.input { type = call.function.answerType(for: type) }
    return stream.transform?.answerType(for: type) ?? type
  }

  /// Whether a stream's call is told by what buckets accumulate.
  func accumulates(_ stream: SelectPlan.StreamPlan) -> Bool {
    guard case .call(let call) = stream.input else { return false }
    return AggregateColumn.aggregates(for: call.function, keepsTime: plan.keepsPointTime) != nil
  }

  private func parts() -> [Part] {
    var parts: [Part] = []
    for (index, stream) in plan.streams.enumerated() {
      let hasBound = plan.isDescending || bounds.start != nil
      let lookback = plan.grouping.interval > 0 && hasBound ? stream.transform?.lookback ?? 0 : 0
      let only = orderedArgument(of: stream)
      if !parts.contains(where: { $0.lookback == lookback && $0.only == only }) {
        parts.append(Part(lookback: lookback, only: only))
      }
      guard let place = parts.firstIndex(where: { $0.lookback == lookback && $0.only == only }) else { continue }
      if plan.auxiliaries.isEmpty, accumulates(stream) {
        parts[place].accumulated.append(index)
      } else {
        parts[place].kept.append(index)
      }
    }
    return parts
  }

  /// The argument of an area: which of several points of one time is its corner depends on the order in which series meet, and that
  /// must not depend on the other columns of the statement.
  private func orderedArgument(of stream: SelectPlan.StreamPlan) -> Reference? {
    guard case .call(let call) = stream.input, call.function == .integral else { return nil }
    return call.argument
  }

  private mutating func accumulate(_ indices: [Int], _ range: Range<Int64>, _ found: inout GroupStreams) throws {
    guard let (pass, places) = try accumulated(indices, range) else { return }
    let numbers = found.take(pass.groups)
    var check = InterruptCheck(isCancelled)
    for group in 0..<pass.groups.count {
      try check.pass(Self.groupStepCount)
      for place in places {
        let stream = try pass.stream(
          place.function, column: place.column, group: group, keepsTime: plan.keepsPointTime)
        found.put(try finish(stream, place.stream), place.stream, of: numbers[group])
      }
      pass.release(group)
    }
  }

  /// A stream whose values a pass accumulates in one of its columns.
  struct AccumulatedStream {
    var stream: Int
    var function: AggregateFunction
    var column: Int
  }

  /// Scans for streams whose calls accumulate; `nil` where no field is asked for.
  mutating func accumulated(
    _ indices: [Int], _ range: Range<Int64>
  ) throws -> (AggregatePass, [AccumulatedStream])? {
    var columns: [AggregateColumn] = []
    var places: [AccumulatedStream] = []
    for index in indices {
      guard case .call(let call) = plan.streams[index].input,
        case .field(let column) = call.argument.meaning(in: schema),
        let wanted = AggregateColumn.aggregates(for: call.function, keepsTime: plan.keepsPointTime)
      else { continue }
      if let place = columns.firstIndex(where: { $0.column == column }) {
        columns[place].aggregates.formUnion(wanted)
        places.append(AccumulatedStream(stream: index, function: call.function, column: place))
      } else {
        places.append(AccumulatedStream(stream: index, function: call.function, column: columns.count))
        columns.append(AggregateColumn(column: column, slot: columns.count, aggregates: wanted))
      }
    }
    guard !columns.isEmpty else { return nil }
    let grid = try grid(range)
    let pass = AggregatePass(columns, grid: grid, tagKeys: plan.grouping.tagKeys, limits: limits)
    pass.isInterrupted = isCancelled
    for stretch in grid.stretches(of: range) {
      let scan = try makeScan(columns.map(\.column), stretch.times, isDescending: false)
      pass.offset = stretch.offset
      let shared = SharedScan(
        scan: scan, columns: columns, grid: grid, tagKeys: plan.grouping.tagKeys, limits: limits)
      note(try shared.run(into: pass), scan.columns)
    }
    return (pass, places)
  }

  private mutating func keep(_ indices: [Int], _ range: Range<Int64>, _ found: inout GroupStreams) throws {
    var references: [Reference] = []
    for index in indices { references.append(plan.argument(of: plan.streams[index])) }
    let auxiliaries = references.count..<references.count + plan.auxiliaries.count
    references += plan.auxiliaries
    for index in indices {
      if case .call(let call) = plan.streams[index].input {
        references += call.tags.map { Reference(name: $0, cast: nil) }
      }
    }
    var columns: [ScanColumn] = []
    let contents = contents(references, &columns)
    guard !columns.isEmpty else { return }
    // A point without a value for the function is no point for it, whatever else it has.
    let scan = try makeScan(columns, range, isDescending: false)
    let pass = RowPass(
      contents, tagKeys: plan.grouping.tagKeys, isDescending: false, limit: nil, limits: limits,
      isDerived: source.isDerived)
    pass.isInterrupted = isCancelled
    note(try scan.run(into: pass), scan.columns)
    let grid = try grid(range)
    let numbers = found.take(pass.groups)
    var check = InterruptCheck(isCancelled)
    for group in 0..<pass.groups.count {
      try check.pass(Self.groupStepCount)
      let rows = pass.buffers[group]
      for (place, index) in indices.enumerated() {
        let stream: Stream
        switch plan.streams[index].input {
        case .rows:
          stream = Stream(times: rows.timestamps, column: rows.columns[place]).droppingNulls()
        case .call(let call):
          let functions = RowFunctions(
            rows: rows, column: rows.columns[place], auxiliaries: auxiliaries.map { rows.columns[$0] },
            grid: grid, isDescending: plan.isDescending, isInterrupted: isCancelled)
          let tags = call.tags.isEmpty ? [] : Array(rows.columns[auxiliaries.upperBound...])
          let points = try functions.stream(call, tags: tags, keepsTime: plan.keepsPointTime)
          // InfluxDB turns the order of buckets alone: the points of one stay as they are, through both turns.
          stream =
            plan.isDescending && !call.function.isScalar ? points.reversedWithin(buckets: grid) : points
        }
        found.put(try finish(stream, index), index, of: numbers[group])
      }
    }
  }

  /// Fills and transforms a stream, and turns it to the order of the answer.
  private func finish(_ input: Stream, _ index: Int) throws(QueryFailure) -> Stream {
    let planned = plan.streams[index]
    guard !input.isEmpty else { return input }
    var stream = input
    guard case .call(let call) = planned.input, call.function.isScalar else {
      if plan.isDescending { stream = stream.reversed() }
      return try transformed(stream, planned.transform)
    }
    // Of few points a low percentile is none: no bucket then, not empty ones.
    if call.function == .percentile, stream.column.presentCount == 0 { return Stream(stream.column.key.type) }
    if plan.grouping.interval == 0 {
      if call.function != .stddev { stream = stream.droppingNulls() }
      return stream
    }
    if bounds.start == nil { stream = Self.withoutLeadingNulls(stream) }
    if plan.isDescending { stream = stream.reversed() }
    var fill = plan.fill
    let isCount = call.function.isCount
    // What transforms skips empty buckets, but a count's are zero.
    if planned.transform != nil, fill == .null, !isCount { fill = .none }
    stream = try FillOperator(fill: fill, isCount: isCount, isInterrupted: isCancelled).apply(stream)
    return try transformed(stream, planned.transform)
  }

  private func transformed(_ stream: Stream, _ transform: Transform?) throws(QueryFailure) -> Stream {
    guard let transform else { return stream }
    return try TransformOperator(
      transform: transform, isDescending: plan.isDescending, isInterrupted: isCancelled
    ).apply(stream)
  }

  /// Without the buckets before the first that has a value.
  private static func withoutLeadingNulls(_ stream: Stream) -> Stream {
    guard let first = (0..<stream.count).first(where: { stream.column.isPresent($0) }), first > 0 else {
      return stream
    }
    return stream.gathered(Array(first..<stream.count))
  }
}
