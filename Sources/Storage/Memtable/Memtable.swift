/// All that is not on disk yet: the parts of every keyspace, their live series, the arenas' pool.
///
/// Safe from several threads. One lock guards the set of parts; it is held for a look-up a batch and window.
/// What the store promises: `hold` is called in order of batch numbers (under the log's lock), so that a part
/// sealed through *n* has exactly the batches of its window that are numbered above the seal before it and at
/// most *n*. While the log is replayed the same holds on each side of the last number in it: what is replayed
/// goes to parts of its own, which stand before those of new batches in their windows (`Memtable+Replay`).
package final class Memtable: Sendable {
  /// Memory of all parts.
  package let pool: ArenaPool
  private let fieldLists = FieldListTable()
  private let clock: @Sendable () -> UInt64
  private let census: @Sendable (KeyspaceID) -> LiveCensus
  let state = Lock(State())

  struct WindowParts {
    var window: Range<Int64>
    /// In order of their numbers: sealed ones in order of sealing, then the one that takes rows, if any. During a replay
    /// the same twice: what is replayed, what is new.
    var parts: [Part] = []
  }
  struct Keyspace {
    /// Made with the first inserter.
    var liveSeries: LiveSeriesTable?
    /// Sorted by start; a window without parts is not here.
    var windows: [WindowParts] = []
    /// The next part's number at the last seal and the one before.
    var numbersAtSeals: (UInt64, UInt64) = (0, 0)
    /// Rows of a series that the next part makes room for at once: those of the part that was sealed last.
    var expectedRowCount = 1
  }
  struct State {
    var keyspaces: [KeyspaceID: Keyspace] = [:]
    var nextPartNumber: UInt64 = 1
    var nextOwner: UInt32 = 1
    var lastSequence: UInt64 = 0
    /// `nil`: no replay goes on.
    var replay: ReplayedNumbers?
  }

  /// - Parameters:
  ///   - firstSequence: the lowest number that a batch can have from now on.
  ///   - census: where a keyspace's live series are counted; asked once a keyspace.
  ///   - firstPartNumber: the number of the first part.
  ///   - clock: monotonic, nanoseconds; says when parts were made.
  package init(
    pool: ArenaPool = ArenaPool(), firstSequence: UInt64 = 1, firstPartNumber: UInt64 = 1,
    census: @escaping @Sendable (KeyspaceID) -> LiveCensus = { _ in LiveCensus(database: "", limits: .none) },
    clock: @escaping @Sendable () -> UInt64
  ) {
    self.pool = pool
    self.census = census
    self.clock = clock
    state.withLock { state in
      state.lastSequence = firstSequence - 1
      state.nextPartNumber = firstPartNumber
    }
  }

  // MARK: Writing

  /// An inserter for one receiver (or replay) and keyspace.
  package func makeInserter(for keyspace: KeyspaceID) -> RowInserter {
    // Outside the lock: it looks into the version in force, whose lock may be held around this one.
    let fresh = LiveSeriesTable(census: census(keyspace))
    let (series, owner) = state.withLock { state in
      defer { state.nextOwner &+= 1 }
      let series = state.keyspaces[keyspace]?.liveSeries ?? fresh
      state.keyspaces[keyspace, default: Keyspace()].liveSeries = series
      return (series, state.nextOwner)
    }
    return RowInserter(keyspace: keyspace, liveSeries: series, fieldLists: fieldLists, owner: owner)
  }

  /// Takes a hold on the unsealed part of each window for a batch, making parts where there are none.
  ///
  /// To be called under the lock that numbers batches. Afterwards insert, then `release` each part.
  ///
  /// - Parameters:
  ///   - windows: disjoint; those of a `RowPlacement`.
  ///   - parts: replaced by the parts, in the order of `windows`.
  package func hold(_ keyspace: KeyspaceID, windows: [Range<Int64>], sequence: UInt64, parts: inout [Part]) {
    parts.removeAll(keepingCapacity: true)
    state.withLock { state in
      precondition(sequence > state.lastSequence, "batch \(sequence) is held after \(state.lastSequence)")
      state.lastSequence = sequence
      for window in windows {
        let part = open(keyspace, window: window, sequence: sequence, in: &state)
        part.retain()
        parts.append(part)
      }
    }
  }

  /// The part that takes a batch's rows of a window, made if there is none.
  func open(_ id: KeyspaceID, window: Range<Int64>, sequence: UInt64, in state: inout State) -> Part {
    // The last number of a replay that goes on; else 0, and all parts are on one side of it.
    let boundary = state.replay?.through ?? 0
    // In place: a copy of the entry would copy its windows at the first change.
    func find(_ keyspace: inout Keyspace, number: inout UInt64) -> Part {
      let place = Self.place(of: window.lowerBound, in: keyspace.windows)
      let isThere =
        place < keyspace.windows.count && keyspace.windows[place].window.lowerBound == window.lowerBound
      let index = isThere ? keyspace.windows[place].end(ofPartsFor: sequence, boundary: boundary) : 0
      if index > 0 {
        let last = keyspace.windows[place].parts[index - 1]
        if !last.isSealed, (last.firstSequence > boundary) == (sequence > boundary) { return last }
      }
      let part = Part(
        keyspace: id, window: window, number: number, sequence: sequence, madeAt: clock(),
        expectedRowCount: keyspace.expectedRowCount, pool: pool)
      number += 1
      if !isThere { keyspace.windows.insert(WindowParts(window: window), at: place) }
      keyspace.windows[place].parts.insert(part, at: index)
      return part
    }
    return find(&state.keyspaces[id, default: Keyspace()], number: &state.nextPartNumber)
  }

  private static func place(of start: Int64, in windows: [WindowParts]) -> Int {
    var (low, high) = (0, windows.count)
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].window.lowerBound < start { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Sealing

  /// Seals a part: batches numbered from now on go to another. False if it was sealed already or is not here
  /// any more.
  ///
  /// Flush it when `isFlushable`, publish its run and `sealedThrough`, then `remove` it.
  @discardableResult package func seal(_ part: Part) -> Bool {
    guard let ended = state.withLock({ Self.seal(part, in: &$0) }) else { return false }
    ended.finish()
    return true
  }

  /// Seals the parts of a keyspace that hold batches below `sequence` in windows that meet `times`, so that rows that came before and
  /// rows that come from now on lie in different parts. To be called under the lock that numbers batches, or by the replay. Live series
  /// keep their generation: ending one walks them all.
  package func seal(_ keyspace: KeyspaceID, meeting times: Range<Int64>, below sequence: UInt64) {
    state.withLock { state in
      let windows = (state.keyspaces[keyspace]?.windows ?? []).filter { $0.window.overlaps(times) }
      for part in windows.flatMap(\.parts) where !part.isSealed && part.firstSequence < sequence {
        _ = Self.seal(part, in: &state)
      }
    }
  }

  /// What is left to do about a seal outside of the lock: it walks every live series.
  struct EndedGeneration {
    var series: LiveSeriesTable?
    var partNumberFloor: UInt64

    func finish() { series?.endGeneration(partNumberFloor: partNumberFloor) }
  }

  static func seal(_ part: Part, in state: inout State) -> EndedGeneration? {
    // The number through which batches of the part's side of a replay have come.
    let last =
      if let replay = state.replay, part.firstSequence <= replay.through { replay.position } else { state.lastSequence }
    guard !part.isSealed, last > 0, contains(part, in: state.keyspaces[part.keyspace]) else { return nil }
    part.seal(through: last)
    state.keyspaces[part.keyspace]?.expectedRowCount = part.typicalRowCount
    return endGeneration(&state.keyspaces[part.keyspace, default: Keyspace()], next: state.nextPartNumber)
  }

  private static func contains(_ part: Part, in keyspace: Keyspace?) -> Bool {
    guard let keyspace else { return false }
    let place = place(of: part.window.lowerBound, in: keyspace.windows)
    return place < keyspace.windows.count && keyspace.windows[place].parts.contains { $0 === part }
  }

  /// Inserters let go of series whose last part is older than two seals and no longer here.
  private static func endGeneration(_ keyspace: inout Keyspace, next: UInt64) -> EndedGeneration {
    let (last, before) = keyspace.numbersAtSeals
    keyspace.numbersAtSeals = (next, last)
    var floor = before
    for window in keyspace.windows {
      for part in window.parts { floor = min(floor, part.number) }
    }
    return EndedGeneration(series: keyspace.liveSeries, partNumberFloor: floor)
  }

  /// Lets go of the series that no part has: what a seal does, without one. Walks all live series.
  package func releaseSeries() {
    let ended = state.withLock { state in
      let next = state.nextPartNumber
      return state.keyspaces.keys.map { Self.endGeneration(&state.keyspaces[$0, default: Keyspace()], next: next) }
    }
    for generation in ended { generation.finish() }
  }

  /// Forgets a part: its rows are in a table that readers find, or are not wanted any more.
  package func remove(_ part: Part) {
    state.withLock { state in
      Self.remove(part, from: &state.keyspaces[part.keyspace, default: Keyspace()])
    }
  }

  private static func remove(_ part: Part, from keyspace: inout Keyspace) {
    let place = place(of: part.window.lowerBound, in: keyspace.windows)
    guard place < keyspace.windows.count else { return }
    keyspace.windows[place].parts.removeAll { $0 === part }
    if keyspace.windows[place].parts.isEmpty { keyspace.windows.remove(at: place) }
  }

  /// Forgets the parts of a keyspace, and its live series; for a drop. Batches under way still have theirs to
  /// write to.
  package func drop(_ keyspace: KeyspaceID) {
    let dropped = state.withLock { state in state.keyspaces.removeValue(forKey: keyspace) }
    dropped?.liveSeries?.abandon()
  }

  /// Forgets the parts of windows that end at or before `horizon`.
  package func drop(_ keyspace: KeyspaceID, before horizon: Int64) {
    state.withLock { state in
      state.keyspaces[keyspace]?.windows.removeAll { $0.window.upperBound <= horizon }
    }
  }

  // MARK: Choosing

  /// Every part, sealed or not: by keyspace, window, order of sealing.
  package func parts() -> [Part] {
    state.withLock { state in
      state.keyspaces.sorted { $0.key < $1.key }.flatMap { $0.value.windows.flatMap(\.parts) }
    }
  }

  /// The parts of a keyspace: by window, then order of sealing.
  package func parts(of keyspace: KeyspaceID) -> [Part] {
    state.withLock { state in state.keyspaces[keyspace]?.windows.flatMap(\.parts) ?? [] }
  }

  /// The parts to seal so that unsealed ones take at most `byteCountTarget` bytes: the largest first.
  package func partsToSeal(byteCountTarget: Int) -> [Part] {
    let open = partsToFlush().filter { !$0.isSealed }.map { (part: $0, byteCount: $0.byteCount) }
    var total = open.reduce(0) { $0 + $1.byteCount }
    var chosen: [Part] = []
    for entry in open.sorted(by: { $0.byteCount > $1.byteCount }) where total > byteCountTarget {
      chosen.append(entry.part)
      total -= entry.byteCount
    }
    return chosen
  }

  /// The unsealed parts of at least an age, nanoseconds of the memtable's clock.
  package func partsToSeal(olderThan age: UInt64) -> [Part] {
    let now = clock()
    return partsToFlush().filter { !$0.isSealed && now >= $0.madeAt && now - $0.madeAt >= age }
  }

  /// The unsealed parts that hold a batch numbered at most `sequence`, and so pin the log that has it.
  package func partsToSeal(pinning sequence: UInt64) -> [Part] {
    partsToFlush().filter { !$0.isSealed && $0.firstSequence <= sequence }
  }

  /// The lowest number that some part holds or may still get, or that is yet to be replayed; `nil` where there
  /// is none. The log up to below it may go.
  package var oldestSequence: UInt64? {
    state.withLock { Self.oldestSequence(in: $0, of: $0.keyspaces.values) }
  }

  /// The same of one keyspace.
  package func oldestSequence(of keyspace: KeyspaceID) -> UInt64? {
    state.withLock { Self.oldestSequence(in: $0, of: [$0.keyspaces[keyspace]].compactMap { $0 }) }
  }

  private static func oldestSequence(in state: State, of keyspaces: some Sequence<Keyspace>) -> UInt64? {
    var oldest = state.replay.map { $0.position + 1 }
    for keyspace in keyspaces {
      for part in keyspace.windows.lazy.flatMap(\.parts) {
        oldest = min(oldest ?? part.firstSequence, part.firstSequence)
      }
    }
    return oldest
  }

  // MARK: Counting

  /// What a keyspace, or the whole, takes.
  package struct Totals: Sendable, Equatable {
    package var byteCount = 0
    package var sealedByteCount = 0
    package var rowCount = 0
    package var liveSeriesCount = 0
    package var partCount = 0
    package init() {}
  }

  package func totals(of keyspace: KeyspaceID) -> Totals {
    let (parts, series) = state.withLock { state in
      (state.keyspaces[keyspace]?.windows.flatMap(\.parts) ?? [], state.keyspaces[keyspace]?.liveSeries)
    }
    return Self.totals(parts, [series].compactMap { $0 })
  }

  package var totals: Totals {
    let (parts, series) = state.withLock { state in
      (
        state.keyspaces.values.flatMap { $0.windows.flatMap(\.parts) },
        state.keyspaces.values.compactMap(\.liveSeries)
      )
    }
    return Self.totals(parts, series)
  }

  /// Bytes of all parts: cheap enough to ask once a batch.
  package var byteCount: Int { pool.byteCounts.taken }

  private static func totals(_ parts: [Part], _ series: [LiveSeriesTable]) -> Totals {
    var totals = Totals()
    for part in parts {
      totals.byteCount += part.byteCount
      if part.isSealed { totals.sealedByteCount += part.byteCount }
      totals.rowCount += part.rowCount
    }
    totals.partCount = parts.count
    for table in series {
      totals.byteCount += table.byteCount
      totals.liveSeriesCount += table.count
    }
    return totals
  }
}
