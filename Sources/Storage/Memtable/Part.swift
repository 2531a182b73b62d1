import CShims
import LineProtocol
import Synchronization

/// The rows of one keyspace and window that are not on disk yet.
///
/// Rows lie in chunks by series and field list in the part's own arena. Writers append to chunks of their own
/// and take the part's lock only for a new series or chunk; readers walk series and chunks without a lock.
/// What keeps the memory is the object itself: it goes when the memtable, the last snapshot and the last run
/// let go of it.
///
/// Life: made by `Memtable.hold`, filled under holds, sealed, flushable once the last hold is gone, removed
/// when its run is published.
@safe package final class Part: Sendable {
  package let keyspace: KeyspaceID
  package let window: Range<Int64>
  /// Never used again while the program runs.
  package let number: UInt64
  /// When it was made: nanoseconds of the monotonic clock that the memtable was given.
  package let madeAt: UInt64

  /// The number of the batch for which it was made; no batch below it comes here. Rows keep their numbers
  /// relative to it.
  package let firstSequence: UInt64

  /// Rows for which the first chunk of a series has room: so many as its like had in the part before.
  private let expectedRowCount: Int
  private let arena: Arena
  private let table = Lock(Contents())
  private let seriesTotal = Atomic<Int>(0)
  private let rowTotal = Atomic<Int>(0)
  // Signed: `Atomic<UInt64>.min` of Swift 6.3 compares as if signed.
  private let first = Atomic<Int64>(.max)
  private let last = Atomic<Int64>(0)
  private let firstTime = Atomic<Int64>(.max)
  private let lastTime = Atomic<Int64>(.min)
  private let holdCount = Atomic<Int>(0)
  /// 0: not sealed.
  private let sealNumber = Atomic<UInt64>(0)
  let indexCache = Lock<PartIndex?>(nil)
  private let tags = Lock(PartTags())
  private let tagScans = Lock(TagValueScans())

  /// What only changes under the lock.
  private struct Contents {
    var series = PartSeriesList()
    var numbers = PartSeriesMap()
    var lists: [FieldList] = []
    var listIndices: [UInt64: UInt32] = [:]
    var measurements: [[UInt8]: Set<UInt32>] = [:]
    /// The field list that was asked for last, by its own number and by its index.
    var lastListNumber: UInt64?
    var lastList: UInt32 = .max
    /// What was noted last in `measurements`.
    var notedMeasurement: [UInt8] = []
    var notedList: UInt32 = .max

    /// Looks requests' series up, and asks for their newest chunks: step by step for all of them, so that no look at memory waits for the
    /// one before.
    func prefetch(_ requests: UnsafeMutableBufferPointer<ChunkRequest>) {
      for index in requests.indices { unsafe numbers.prefetch(requests[index].live) }
      for index in requests.indices { unsafe numbers.prefetchSeries(requests[index].live, in: series) }
      for index in requests.indices {
        guard let live = unsafe LiveSeries(address: requests[index].live), let number = numbers.number(of: live, in: series) else {
          continue
        }
        unsafe requests[index].number = number
        if let newest = unsafe PartSeries.newestChunk(series[number]) { unsafe CShims_prefetch(newest) }
      }
    }
  }

  init(
    keyspace: KeyspaceID, window: Range<Int64>, number: UInt64, sequence: UInt64, madeAt: UInt64,
    expectedRowCount: Int = 1, pool: ArenaPool
  ) {
    self.keyspace = keyspace
    self.window = window
    self.number = number
    self.madeAt = madeAt
    self.expectedRowCount = expectedRowCount
    firstSequence = sequence
    arena = Arena(pool: pool)
  }

  deinit {
    let series = series
    for number in 0..<series.count { unsafe series[number].pointee.live.release() }
  }

  // MARK: What it holds

  /// Bytes of the arena's blocks, the part's share of the memtable's budget.
  package var byteCount: Int { arena.byteCount }
  /// Rows inserted, also those that others will replace when joined.
  package var rowCount: Int { rowTotal.load(ordering: .relaxed) }
  package var seriesCount: Int { seriesTotal.load(ordering: .relaxed) }
  /// Lowest and highest batch number inserted; `nil` while there are no rows.
  package var sequenceRange: ClosedRange<UInt64>? {
    let (low, high) = (first.load(ordering: .acquiring), last.load(ordering: .acquiring))
    return low <= high ? UInt64(low)...UInt64(high) : nil
  }
  /// First and last timestamp inserted; `nil` while there are no rows.
  package var timeRange: ClosedRange<Int64>? {
    let (low, high) = (firstTime.load(ordering: .acquiring), lastTime.load(ordering: .acquiring))
    return low <= high ? low...high : nil
  }

  // MARK: Holds and sealing

  /// A batch that is to be inserted here takes a hold first, under the lock that gives it its number.
  package func retain() { holdCount.add(1, ordering: .relaxed) }
  /// The batch is inserted, or never will be.
  package func release() {
    let left = holdCount.subtract(1, ordering: .acquiringAndReleasing).newValue
    precondition(left >= 0, "more releases than holds: \(left)")
  }
  /// Whether a batch is under way.
  package var isHeld: Bool { holdCount.load(ordering: .acquiring) != 0 }
  package var isSealed: Bool { sealNumber.load(ordering: .acquiring) != 0 }
  /// The number through which batches go here, and none after it; `nil` while it is not sealed.
  ///
  /// Once the part is flushed it is its window's *flushed through*.
  package var sealedThrough: UInt64? {
    let number = sealNumber.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }
  /// Sealed, and all its batches are inserted: what `makeRun` gives will not change any more.
  package var isFlushable: Bool { isSealed && !isHeld }

  /// Called by the memtable, which sees to it that no later batch takes a hold.
  func seal(through sequence: UInt64) {
    precondition(sequence > 0 && !isSealed, "sealed twice, or before any batch")
    sealNumber.store(sequence, ordering: .releasing)
  }

  // MARK: Reading

  /// The part as a sorted run: of all rows inserted when they are read, or of those of batches numbered at
  /// most `visibleThrough`, which is stable while others write. `nil` while there is nothing to show. Cheap:
  /// series are sorted when first asked for, and the order is kept for the next run.
  package func makeRun(visibleThrough: UInt64 = .max) -> PartRun? {
    guard let sequences = sequenceRange, let times = timeRange, sequences.lowerBound <= visibleThrough else {
      return nil
    }
    return PartRun(
      part: self, sequences: sequences.lowerBound...min(sequences.upperBound, visibleThrough), times: times,
      rowCount: rowCount, visibleThrough: visibleThrough)
  }

  /// Its series by number, those that are there now.
  var series: PartSeriesList { table.withLock { $0.series } }

  /// The field lists of its chunks by index, at least those of all chunks seen before the call.
  var fieldLists: [FieldList] { table.withLock { $0.lists } }

  /// The field lists of a measurement's rows; empty if it is not here.
  func fieldLists(of measurement: [UInt8]) -> [FieldList] {
    table.withLock { table in
      (table.measurements[measurement] ?? []).sorted().map { table.lists[Int($0)] }
    }
  }

  /// The measurements, sorted by bytes.
  var measurements: [[UInt8]] {
    table.withLock { Array($0.measurements.keys) }.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The tag keys of a measurement, sorted.
  func tagKeys(of measurement: [UInt8]) -> [[UInt8]] {
    let series = series
    return tags.withLock { tags in
      tags.catchUp(with: series)
      return tags.keys(of: measurement)
    }
  }

  /// The values of a tag key of a measurement, of all series or of those that satisfy a predicate. Where there are more than `PartTags`
  /// keeps, or there is a predicate, what was not asked lately costs a look at every series: `nil` if it is not to go on meanwhile.
  func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, isCancelled: () -> Bool
  ) -> TagValueList? {
    let series = series
    if predicate == nil {
      let known = tags.withLock { tags in
        tags.catchUp(with: series)
        return tags.values(of: measurement, key: key)
      }
      if let known { return known }
    }
    return tagScans.withLock {
      // What is kept beside the part's memory is a fraction of that.
      $0.list(
        of: measurement, key: key, where: predicate, in: series, byteCountMax: byteCount / 2, isCancelled: isCancelled)
    }
  }

  // MARK: Writing

  /// Memory for the strings of a row; lives as long as the part.
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer { unsafe arena.allocate(byteCount) }

  /// Takes note of rows that were appended.
  func count(rows: Int, sequence: UInt64, firstTimestamp: Int64, lastTimestamp: Int64) {
    _ = firstTime.min(firstTimestamp, ordering: .relaxed)
    _ = lastTime.max(lastTimestamp, ordering: .relaxed)
    _ = first.min(Int64(sequence), ordering: .releasing)
    _ = last.max(Int64(sequence), ordering: .releasing)
    rowTotal.add(rows, ordering: .relaxed)
  }

  /// Answers each request by a chunk with room for a row, that only `owner` writes to.
  ///
  /// Many at once, since the lock is taken once for them, and no look at memory waits for the one before.
  ///
  /// - Parameter fieldList: the list of a request, where it is new here.
  func openChunks(
    _ requests: UnsafeMutableBufferPointer<ChunkRequest>, owner: UInt32, fieldList: (UInt32) -> FieldList
  ) {
    let hasMany = table.withLock { table in
      let before = table.series.count
      unsafe table.prefetch(requests)
      for index in requests.indices { unsafe answer(&requests[index], owner: owner, table: &table, fieldList: fieldList) }
      return before / PartTags.lagCountMax != table.series.count / PartTags.lagCountMax
    }
    guard hasMany else { return }
    // Who makes series pays for their names, or the first to ask would wait for a million of them. Others may go on meanwhile.
    let series = series
    tags.withLock { $0.catchUp(with: series) }
  }

  private func answer(
    _ request: inout ChunkRequest, owner: UInt32, table: inout Contents, fieldList: (UInt32) -> FieldList
  ) {
    guard let live = LiveSeries(address: request.live) else { preconditionFailure("no series") }
    request.listIndex = take(request, table: &table, fieldList: fieldList)
    var number = request.number
    if number < 0 { number = table.numbers.number(of: live, in: table.series) ?? add(live, to: &table) }
    let series = unsafe table.series[number]
    let newest = unsafe PartSeries.newestChunk(series)
    let previous = unsafe Chunk.find(
      from: newest, listIndex: request.listIndex, owner: owner, lookedThroughMax: Self.lookedThroughMax)
    var capacity = expectedRowCount
    if let previous = unsafe previous {
      if unsafe Chunk.hasRoom(previous) {
        request.chunk = UInt(bitPattern: previous)
        return
      }
      capacity = unsafe capacityAfter(previous)
    } else {
      note(request.listIndex, of: live, table: &table)
    }
    let chunk = unsafe Chunk.make(
      in: arena, older: newest, listIndex: request.listIndex, owner: owner, valueCount: Int(request.valueCount),
      wantedCapacity: capacity)
    unsafe series.pointee.newest.store(UInt(bitPattern: chunk), ordering: .releasing)
    request.chunk = UInt(bitPattern: chunk)
  }

  /// Room is doubled: rows for which there was some altogether, or twice those of the last chunk.
  private func capacityAfter(_ chunk: UnsafeMutablePointer<Chunk>) -> Int {
    let isFirst = unsafe chunk.pointee.older == nil
    let capacity = unsafe Int(chunk.pointee.capacity)
    return isFirst && capacity > 1 ? capacity : 2 * capacity
  }

  private func add(_ live: LiveSeries, to table: inout Contents) -> Int {
    live.retain()
    let number = table.series.append(PartSeries(live: live), in: arena)
    table.numbers.insert(live, in: table.series)
    seriesTotal.store(number + 1, ordering: .releasing)
    return number
  }

  /// Chunks that are looked through for the last one of an inserter and field list: a sender that invents field lists
  /// for one series pays with chunks of one row, not with everybody's time.
  private static let lookedThroughMax = 32

  /// The index of a request's field list in this part.
  private func take(_ request: ChunkRequest, table: inout Contents, fieldList: (UInt32) -> FieldList) -> UInt32 {
    if table.lastListNumber == request.listNumber { return table.lastList }
    let index = table.listIndices[request.listNumber] ?? UInt32(table.lists.count)
    if index == table.lists.count {
      table.lists.append(fieldList(request.list))
      table.listIndices[request.listNumber] = index
    }
    (table.lastListNumber, table.lastList) = (request.listNumber, index)
    return index
  }

  /// Notes that the measurement of a series has a field list.
  private func note(_ list: UInt32, of live: LiveSeries, table: inout Contents) {
    // The caller holds the series, so its bytes stay.
    let key = unsafe live.firstBytes
    // Neighbours nearly always share measurement and list.
    if table.notedList == list, unsafe KeyOrder.compareMeasurement(of: key, to: table.notedMeasurement) == 0 { return }
    let measurement = unsafe KeyOrder.measurement(of: key)
    table.measurements[measurement, default: []].insert(list)
    (table.notedMeasurement, table.notedList) = (measurement, list)
  }
}
