import LineProtocol
import Storage

/// Answers a raw `SELECT` of any size, in the order in which it would be answered whole, and holds a bounded part of it.
///
/// Rows of one group come window after window, those of a window once its series are merged; a window with more rows than may be held
/// is read in slices of time. Groups come one after another: a pass over the windows gathers as many as can be held, from the first
/// that is not answered yet, and lets go of the last ones when they are too many; the next pass begins with those. Rows of one
/// time that nothing orders may follow one another otherwise than in an answer that is not streamed, at the edges of slices only.
struct RowStream {
  /// Rows of a `LIMIT` that are held instead, so that no more than these are read.
  static let heldLimitMax = 10_000

  let planned: PlannedSelect
  private var limits: QueryLimits
  let isCancelled: @Sendable () -> Bool
  let emitter: PieceEmitter

  /// Whether an answer can be made so: rows as they are, of the store itself.
  static func suits(_ planned: PlannedSelect) -> Bool {
    let statement = planned.statement
    guard planned.plan.isRaw, planned.qualified == nil, !planned.plan.outputs.isEmpty, !planned.sources.contains(where: \.isDerived),
      statement.seriesLimit == 0, statement.seriesOffset == 0
    else { return false }
    guard let needed = planned.plan.rowCountNeeded, planned.plan.grouping.tagKeys.isEmpty else { return true }
    return needed > heldLimitMax
  }

  init(
    planned: PlannedSelect, limits: QueryLimits, isCancelled: @escaping @Sendable () -> Bool, emitter: PieceEmitter
  ) {
    self.planned = planned
    self.limits = limits
    self.isCancelled = isCancelled
    self.emitter = emitter
    self.limits.heldByteCountMax = limits.streamedByteCountMax
  }

  /// Hands on all rows.
  ///
  /// - Returns: what is to be said beside them.
  func run() throws -> [ResultMessage] {
    var messages = planned.inner.messages
    emitter.hasSeveralNames = hasSeveralNames
    defer { emitter.hasSeveralNames = { false } }
    for index in planned.plan.isDescending ? planned.sources.indices.reversed() : Array(planned.sources.indices) {
      var runner = planned.select(index, limits: limits, isCancelled: isCancelled)
      try SourceStream(planned, runner, limits, emitter).run(&runner)
      messages += runner.messages.filter { !messages.contains($0) }
    }
    return messages
  }

  /// Whether more than one measurement has a row: the first of each is looked for.
  private func hasSeveralNames() throws -> Bool {
    guard planned.sources.count > 1 else { return false }
    var plan = planned.plan
    plan.limit = 1
    // Of each group some rows are passed over: then one of another may be the first.
    if plan.offset == 0 { plan.grouping = Grouping() }
    var names = Set<[UInt8]>()
    for (index, source) in planned.sources.enumerated() where !names.contains(source.name) {
      var limits = limits
      limits.account = limits.account.makePart()
      // Rows that `OFFSET` passes over are held here, and are no piece that is handed on.
      limits.heldByteCountMax = .max
      var probe = planned.select(index, limits: limits, isCancelled: isCancelled, plan: plan)
      if try !probe.run(seriesLimit: 0, seriesOffset: 0).isEmpty { names.insert(source.name) }
      if names.count > 1 { return true }
    }
    return false
  }
}

/// The rows of one measurement.
private final class SourceStream {
  private let select: MeasurementSelect
  private let plan: SelectPlan
  private let limits: QueryLimits
  private let emitter: PieceEmitter
  private let windows: [WindowSnapshot]
  private let asked: Range<Int64>
  /// Rows that are aimed at for a slice.
  private let rowCountWanted: Int
  /// By window: the rows that it may give, and the series that may have them where these were looked up.
  private var rowCounts: [Int] = []
  private var known: [MeasurementScan.KnownSeries]?
  /// Windows of which the series are looked up before any is read.
  private static let listedWindowCountMax = 8
  private var counters = ScanCounters()
  /// Those that were read.
  private var columns: [ScanColumn] = []
  /// Rows that were taken from passes.
  private var takenCount = 0
  /// Of the series under way: rows passed over, and rows handed on.
  private var skipped = 0
  private var given = 0

  init(_ planned: PlannedSelect, _ select: MeasurementSelect, _ limits: QueryLimits, _ emitter: PieceEmitter) {
    self.select = select
    plan = planned.plan
    self.limits = limits
    self.emitter = emitter
    asked = select.source.snapshot.clipped(planned.bounds.range)
    let found = select.source.snapshot.windows(in: asked)
    windows = plan.isDescending ? found.reversed() : Array(found)
    // Arrays grow to twice what they need.
    let byteCount = 2 * (24 + 18 * plan.references.count)
    rowCountWanted = max(16, min(limits.rowCountMax, limits.heldByteCountMax / byteCount))
  }

  func run(_ runner: inout MeasurementSelect) throws {
    if plan.grouping.tagKeys.isEmpty {
      try streamOne(nil)
    } else {
      try streamGroups()
    }
    runner.note(counters, columns)
  }

  // MARK: Groups

  private func streamGroups() throws {
    let choice = GroupChoice(tagKeys: plan.grouping.tagKeys, isDescending: plan.isDescending)
    repeat {
      guard let (scan, pass) = try select.rawScan() else { return }
      columns = scan.columns
      pass.choice = choice
      counters += try scan.run(into: pass)
      let order = try pass.groups.sorted(unless: select.isCancelled)
      for group in plan.isDescending ? order.reversed() : order {
        let rows = pass.buffers[group]
        guard rows.count > 0 else { continue }
        let part = MeasurementSelect.Group(
          tagValues: pass.groups.values(group), times: rows.timestamps, columns: rows.columns)
        if let series = try select.result(part) { try emitter.take(series, isSameSeries: false) }
      }
      try pass.release()
      if choice.isEndAlone, let alone = choice.end { try streamOne(alone) }
      choice.advance()
    } while choice.hasMore
  }

  // MARK: One series

  /// All rows of one group, or of a statement without groups.
  private func streamOne(_ values: [[UInt8]]?) throws {
    (skipped, given) = (0, 0)
    guard let (scan, pass) = try select.rawScan(only: values) else { return }
    columns = scan.columns
    pass.isOrdered = true
    pass.onFull = { [self] in try handOn($0) }
    var next = 0
    known = try lists(scan)
    rowCounts = windows.indices.map { place in
      let window = [windows[place]]
      let count = known.map { scan.rowCount(of: [$0[place]], in: window) } ?? scan.rowCount(of: window)
      return Int(count.rounded(.up))
    }
    while next < windows.count, !isDone {
      next += try several(from: next, scan, pass)
      if next < windows.count, !isDone, rowCounts[next] > rowCountWanted {
        try slices(of: next, scan, pass)
        next += 1
      }
    }
    try pass.empty()
    try pass.release()
  }

  private var isDone: Bool { plan.limit > 0 && given >= plan.limit }

  /// As many small windows as may have the rows of a slice; returns how many were read.
  private func several(from first: Int, _ scan: MeasurementScan, _ pass: RowPass) throws -> Int {
    var (end, rows) = (first, 0)
    while end < windows.count, rows + rowCounts[end] <= rowCountWanted {
      rows += rowCounts[end]
      end += 1
    }
    guard end > first else { return 0 }
    let before = pass.windowCount
    let (a, b) = (windows[first].range, windows[end - 1].range)
    let range = min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
    do {
      try read(range.clamped(to: asked), of: first..<end, scan, pass)
      return end - first
    } catch is RowPass.Full {
      // Rows with long strings: this one is read in slices.
      try pass.discardWindow()
      try pass.empty()
      let done = pass.windowCount - before
      try slices(of: first + done, scan, pass)
      return done + 1
    }
  }

  /// A window in slices of time, as long as can be held.
  private func slices(of place: Int, _ scan: MeasurementScan, _ pass: RowPass) throws {
    guard var rest = times(of: windows[place]) else { return }
    let share = Double(rowCountWanted) / Double(max(rowCounts[place], rowCountWanted))
    var length = max(1, UInt64(min(Double(Self.length(rest)) * share, 9e18)))
    while !rest.isEmpty, !isDone {
      let slice = cut(rest, length)
      let before = pass.heldRowCount + takenCount
      do {
        try read(slice, of: place..<place + 1, scan, pass)
      } catch is RowPass.Full {
        let times = pass.freshTimes
        try pass.discardWindow()
        if pass.heldRowCount > 0 {
          try pass.empty()
        } else if Self.length(slice) > 1 {
          length = shorterLength(slice, times)
        } else {
          // All of one time, and in no order that has to be.
          pass.isOrdered = false
          try read(slice, of: place..<place + 1, scan, pass)
          pass.isOrdered = true
          rest = remove(slice, from: rest)
          // What lies behind one moment is of no such length.
          length = max(1, Self.length(rest))
        }
        continue
      }
      rest = remove(slice, from: rest)
      if pass.heldRowCount + takenCount - before < rowCountWanted / 4, length < 1 << 60 { length *= 8 }
    }
  }

  /// The length of a shorter slice with about half of the rows, judged by the times of those that filled the memory, of some of its series:
  /// clocks of a fleet agree, and to halve a minute until one moment of it is left would be to read the rows of that moment 36 times.
  private func shorterLength(_ slice: Range<Int64>, _ times: [Int64]) -> UInt64 {
    var sample = stride(from: 0, to: times.count, by: max(1, times.count / 1_024)).map { times[$0] }
    sample.sort()
    guard let first = sample.first, let last = sample.last else { return max(1, Self.length(slice) / 2) }
    let middle = sample[sample.count / 2]
    // One time alone: up to and with it, then up to it, then it.
    if plan.isDescending {
      var start = middle < last ? middle + 1 : last
      if start <= slice.lowerBound { start = last + 1 }
      return max(1, Self.length(min(start, slice.upperBound)..<slice.upperBound))
    }
    var end = middle > first ? middle : first + 1
    if end >= slice.upperBound { end = first }
    return max(1, Self.length(slice.lowerBound..<max(end, slice.lowerBound)))
  }

  /// Reads some times of some windows, which have all of the times.
  private func read(_ times: Range<Int64>, of places: Range<Int>, _ scan: MeasurementScan, _ pass: RowPass) throws {
    guard !times.isEmpty else { return }
    var scan = scan
    scan.times = times
    let lists = known.map { plan.isDescending ? $0[places].reversed() : Array($0[places]) }
    counters += try scan.run(into: pass, known: lists)
  }

  /// The series of each window, where the condition leaves some of few: how many rows these have says how much is read at once.
  private func lists(_ scan: MeasurementScan) throws -> [MeasurementScan.KnownSeries]? {
    let isNarrow = windows.allSatisfy { !scan.isWide($0, than: WindowSeriesPieces.countMax) }
    guard scan.condition?.predicate != nil, windows.count <= Self.listedWindowCountMax, isNarrow else { return nil }
    let seen = scan.snapshot.clipped(asked)
    return try windows.map { try scan.series(of: $0, seen) }
  }

  /// The first times of a range in the order of the answer.
  private func cut(_ range: Range<Int64>, _ length: UInt64) -> Range<Int64> {
    guard length < Self.length(range) else { return range }
    return plan.isDescending
      ? Int64(truncatingIfNeeded: UInt64(bitPattern: range.upperBound) &- length)..<range.upperBound
      : range.lowerBound..<Int64(truncatingIfNeeded: UInt64(bitPattern: range.lowerBound) &+ length)
  }

  private func remove(_ slice: Range<Int64>, from range: Range<Int64>) -> Range<Int64> {
    plan.isDescending ? range.lowerBound..<slice.lowerBound : slice.upperBound..<range.upperBound
  }

  private static func length(_ range: Range<Int64>) -> UInt64 {
    UInt64(bitPattern: range.upperBound &- range.lowerBound)
  }

  /// The times asked for in which a window has rows.
  private func times(of window: WindowSnapshot) -> Range<Int64>? {
    guard let first = window.runs.map(\.timeRange.lowerBound).min(),
      let last = window.runs.map(\.timeRange.upperBound).max()
    else { return nil }
    let held = first..<max(first, last == .max ? .max : last + 1)
    let range = held.clamped(to: window.range).clamped(to: asked)
    return range.isEmpty ? nil : range
  }

  // MARK: Handing on

  /// Gives on what a pass holds, in order, less what `OFFSET` and `LIMIT` leave out.
  private func handOn(_ pass: RowPass) throws {
    let rowCount = emitter.pieceRowCount(columnCount: plan.outputs.count)
    for (group, rows) in pass.buffers.enumerated() {
      takenCount += rows.count
      for start in stride(from: 0, to: rows.count, by: rowCount) {
        let part = rows.part(start..<min(rows.count, start + rowCount), sharing: limits.sharedByteCountMax)
        try handOn(
          MeasurementSelect.Group(
            tagValues: pass.groups.values(group), times: part.times, columns: part.columns))
      }
    }
  }

  private func handOn(_ part: MeasurementSelect.Group) throws {
    guard let all = try select.evaluated(part) else { return }
    let passedOver = min(plan.offset - skipped, all.rowCount)
    skipped += passedOver
    let end = plan.limit == 0 ? all.rowCount : min(all.rowCount, passedOver + plan.limit - given)
    guard passedOver < end else { return }
    try emitter.take(all.rows(passedOver..<end, sharing: limits.sharedByteCountMax), isSameSeries: given > 0)
    given += end - passedOver
  }
}
