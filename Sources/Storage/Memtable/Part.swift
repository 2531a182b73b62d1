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

  private let arena: Arena
  private let table = Lock(Contents())
  private let newestSeries = Atomic<UInt>(0)
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

  /// What only changes under the lock.
  private struct Contents {
    var series = PartSeriesMap()
    var lists: [FieldList] = []
    var listIndices: [UInt64: UInt32] = [:]
    var measurements: [[UInt8]: Set<UInt32>] = [:]
    var lastMeasurement: [UInt8] = []
    var lastList: UInt32 = .max
  }

  init(
    keyspace: KeyspaceID, window: Range<Int64>, number: UInt64, sequence: UInt64, madeAt: UInt64,
    pool: ArenaPool
  ) {
    self.keyspace = keyspace
    self.window = window
    self.number = number
    self.madeAt = madeAt
    firstSequence = sequence
    arena = Arena(pool: pool)
  }

  deinit {
    var next = unsafe UnsafeMutablePointer<PartSeries>(bitPattern: newestSeries.load(ordering: .acquiring))
    while let series = unsafe next {
      unsafe next = series.pointee.older
      unsafe series.pointee.live.release()
    }
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

  /// The newest series; each points to an older one.
  var seriesHead: UnsafeMutablePointer<PartSeries>? {
    unsafe UnsafeMutablePointer(bitPattern: newestSeries.load(ordering: .acquiring))
  }

  /// The field lists of its chunks by index, at least those of all chunks seen before the call.
  var fieldLists: [FieldList] { table.withLock { $0.lists } }

  /// The field lists of a measurement's rows; empty if it is not here.
  func fieldLists(of measurement: [UInt8]) -> [FieldList] {
    table.withLock { table in
      (table.measurements[measurement] ?? []).sorted().map { table.lists[Int($0)] }
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

  /// A chunk with room for a row of a series and field list that only `owner` writes to.
  ///
  /// - Parameter known: the series in this part, where the caller has it.
  /// - Returns: addresses of the `PartSeries` and of the `Chunk`.
  func openChunk(
    of live: Unmanaged<LiveSeries>, known: UInt, list: FieldList, owner: UInt32
  ) -> (series: UInt, chunk: UInt) {
    let liveAddress = UInt(bitPattern: unsafe live.toOpaque())
    return table.withLock { table in
      var series = unsafe UnsafeMutablePointer<PartSeries>(
        bitPattern: known == 0 ? table.series[liveAddress] : known)
      if unsafe series == nil { unsafe series = add(liveAddress, to: &table) }
      guard let series = unsafe series else { return (0, 0) }
      let previous = unsafe Self.unlinkLane(of: series, listNumber: list.number, owner: owner)
      if let previous = unsafe previous,
        unsafe previous.pointee.count.load(ordering: .relaxed) < previous.pointee.capacity
      {
        unsafe previous.pointee.nextLane = series.pointee.lanes
        unsafe series.pointee.lanes = previous
        return (UInt(bitPattern: series), UInt(bitPattern: previous))
      }
      let chunk: UnsafeMutablePointer<Chunk>
      if let previous = unsafe previous {
        unsafe chunk = makeChunk(
          in: series, list: list, index: previous.pointee.listIndex, owner: owner,
          capacity: Int(previous.pointee.capacity) * 2)
      } else {
        let index = unsafe take(list, for: series.pointee.live, table: &table)
        unsafe chunk = makeChunk(in: series, list: list, index: index, owner: owner, capacity: 1)
      }
      return (UInt(bitPattern: series), UInt(bitPattern: chunk))
    }
  }

  private func add(_ liveAddress: UInt, to table: inout Contents) -> UnsafeMutablePointer<PartSeries>? {
    guard let opaque = unsafe UnsafeRawPointer(bitPattern: liveAddress) else { return nil }
    let live = unsafe Unmanaged<LiveSeries>.fromOpaque(opaque)
    let memory = unsafe arena.allocate(MemoryLayout<PartSeries>.stride)
    let series = unsafe memory.bindMemory(to: PartSeries.self, capacity: 1)
    unsafe series.initialize(to: PartSeries(live: live.retain(), older: seriesHead))
    table.series.insert(UInt(bitPattern: series))
    newestSeries.store(UInt(bitPattern: series), ordering: .releasing)
    seriesTotal.add(1, ordering: .relaxed)
    return unsafe series
  }

  /// Open chunks that are looked through for one of the right kind: a sender that invents field lists for one
  /// series pays with chunks of one row, not with everybody's time.
  private static let laneCountMax = 32

  /// Takes the open chunk of an owner and field list out of the series' list.
  private static func unlinkLane(
    of series: UnsafeMutablePointer<PartSeries>, listNumber: UInt64, owner: UInt32
  ) -> UnsafeMutablePointer<Chunk>? {
    var before: UnsafeMutablePointer<Chunk>? = nil
    var next = unsafe series.pointee.lanes
    var steps = 0
    while let chunk = unsafe next, steps < laneCountMax {
      if unsafe chunk.pointee.listNumber == listNumber && chunk.pointee.owner == owner {
        if let before = unsafe before {
          unsafe before.pointee.nextLane = chunk.pointee.nextLane
        } else {
          unsafe series.pointee.lanes = chunk.pointee.nextLane
        }
        return unsafe chunk
      }
      unsafe before = chunk
      unsafe next = chunk.pointee.nextLane
      steps += 1
    }
    return nil
  }

  private func makeChunk(
    in series: UnsafeMutablePointer<PartSeries>, list: FieldList, index: UInt32, owner: UInt32, capacity: Int
  ) -> UnsafeMutablePointer<Chunk> {
    let rowWords = Chunk.rowHeaderWords + list.keys.count
    let capacity = max(1, min(capacity, Chunk.capacityMax, Chunk.byteCountMax / (rowWords * 8)))
    let memory = unsafe arena.allocate(MemoryLayout<Chunk>.stride + capacity * rowWords * 8)
    let chunk = unsafe memory.bindMemory(to: Chunk.self, capacity: 1)
    unsafe chunk.initialize(
      to: Chunk(
        older: PartSeries.newestChunk(series), nextLane: series.pointee.lanes, listNumber: list.number,
        listIndex: index, owner: owner, capacity: UInt32(capacity), rowWords: UInt32(rowWords)))
    unsafe series.pointee.lanes = chunk
    unsafe series.pointee.newest.store(UInt(bitPattern: chunk), ordering: .releasing)
    return unsafe chunk
  }

  /// The index of a field list in this part; notes that the series' measurement has it.
  private func take(_ list: FieldList, for live: Unmanaged<LiveSeries>, table: inout Contents) -> UInt32 {
    let index: UInt32
    if table.lastList != .max, table.lists[Int(table.lastList)] === list {
      index = table.lastList
    } else if let known = table.listIndices[list.number] {
      index = known
    } else {
      index = UInt32(table.lists.count)
      table.lists.append(list)
      table.listIndices[list.number] = index
    }
    // The part holds the series, so its bytes stay.
    let key = unsafe live._withUnsafeGuaranteedRef { unsafe $0.bytes }
    // Neighbours nearly always share measurement and list.
    if table.lastList == index, unsafe KeyOrder.compareMeasurement(of: key, to: table.lastMeasurement) == 0 {
      return index
    }
    let measurement = unsafe KeyOrder.measurement(of: key)
    table.measurements[measurement, default: []].insert(index)
    table.lastMeasurement = measurement
    table.lastList = index
    return index
  }
}

/// Addresses of a part's series, found by those of their live entries: open addressing, linear probing, at most three quarters full.
/// 11 to 21 bytes a series: the live entry is looked up in the series itself.
@safe struct PartSeriesMap {
  /// 0 where there is none.
  private var entries: [UInt] = Array(repeating: 0, count: 16)
  private var count = 0

  /// The series of a live entry; 0 where there is none.
  subscript(live: UInt) -> UInt { entries[place(of: live)] }

  /// Adds a series that is not there.
  mutating func insert(_ series: UInt) {
    if (count + 1) * 4 > entries.count * 3 {
      let old = entries
      entries = Array(repeating: 0, count: old.count * 2)
      for entry in old where entry != 0 { entries[place(of: Self.live(of: entry))] = entry }
    }
    entries[place(of: Self.live(of: series))] = series
    count += 1
  }

  private static func live(of series: UInt) -> UInt {
    // Addresses in the map are those of series in the part's arena, which lives as long as the map.
    guard let found = unsafe UnsafePointer<PartSeries>(bitPattern: series) else { return 0 }
    return UInt(bitPattern: unsafe found.pointee.live.toOpaque())
  }

  private func place(of live: UInt) -> Int {
    let mask = entries.count - 1
    // Fibonacci hashing of the address; these keys are ours.
    var place = Int(truncatingIfNeeded: (UInt64(live) &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
    while entries[place] != 0, Self.live(of: entries[place]) != live { place = (place + 1) & mask }
    return place
  }
}
