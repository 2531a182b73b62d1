package import LineProtocol
import CShims
import Glibc
import Synchronization

/// Appends the rows of one receiver's batches to the parts of one keyspace. Belongs to one thread.
///
/// For each spelling it keeps where the last row went; the usual row goes to the same part, and to a chunk of
/// its own with room: that costs one look at the slot and the copy of the row, no lock, no hash. Memory: 24
/// bytes a spelling.
@safe package final class RowInserter {
  package let keyspace: KeyspaceID

  /// Where rows of a spelling went last. All zeros is a slot that was not used yet, so that memory that is not touched costs
  /// nothing.
  @safe private struct Slot {
    /// The series, by its address; held.
    var live: UInt = 0
    var chunk: UnsafeMutablePointer<Chunk>?
    /// The chunk's part: its number from `partBase` on; 0: none.
    var part: UInt32 = 0
    /// The chunk's field list, its number plus one; 0: none.
    var list: UInt32 = 0
  }
  /// What the loop wants to know of a field list; 0 values: not asked for yet.
  private struct Shape {
    var valueCount: UInt32 = 0
    var hasStrings = false
    /// Its index in a part, that which a chunk was opened in last; 0: none.
    var listIndex: UInt32 = 0
    var partNumber: UInt64 = 0
    /// The list's own number: looking at it counts no holder.
    var listNumber: UInt64 = 0
  }

  private let liveSeries: LiveSeriesTable
  private let fieldListTable: FieldListTable
  private let owner: UInt32
  private var slots: UnsafeMutableBufferPointer<Slot>
  private var shapes: UnsafeMutableBufferPointer<Shape>
  private var lists: [FieldList?] = []
  private var namesGeneration: UInt64?
  private var seriesGeneration: UInt64 = 0
  private var lastSequence: UInt64 = 0
  /// All parts that slots know have higher numbers, by less than 2³².
  private var partBase: UInt64 = 0
  /// Slots that have their series.
  private var knownCount = 0
  /// All of those lie below it; what lies beyond was never written to.
  private var slotsEnd = 0
  /// Spellings of series that had no room, as of `refusedAt` releases of the database: those of the last batches.
  private var refusals: [UInt32: SeriesRefusal] = [:]
  private var refusedAt: UInt64 = 0
  /// Refusals kept from batch to batch, some 200 bytes each: of series that never come again none is needed.
  static let refusalCountMax = 1 << 13

  /// - Parameter owner: differs from that of every other inserter of the keyspace.
  init(keyspace: KeyspaceID, liveSeries: LiveSeriesTable, fieldLists: FieldListTable, owner: UInt32) {
    self.keyspace = keyspace
    self.liveSeries = liveSeries
    self.fieldListTable = fieldLists
    self.owner = owner
    unsafe slots = Self.zeroed(0)
    unsafe shapes = .allocate(capacity: 0)
  }

  deinit {
    forgetAll()
    unsafe free(slots.baseAddress)
    unsafe shapes.deallocate()
  }

  /// Slots of zeros; what is never written to takes no memory.
  private static func zeroed(_ count: Int) -> UnsafeMutableBufferPointer<Slot> {
    guard count > 0 else { return unsafe UnsafeMutableBufferPointer(start: nil, count: 0) }
    guard let memory = unsafe calloc(count, MemoryLayout<Slot>.stride) else {
      preconditionFailure("no memory for \(count) slots")
    }
    return unsafe UnsafeMutableBufferPointer(start: memory.bindMemory(to: Slot.self, capacity: count), count: count)
  }

  /// Bytes of memory that slots take: those of spellings between others that have their series too, such as were refused.
  package var memoryByteCount: Int { slotsEnd * MemoryLayout<Slot>.stride }

  /// Inserts the rows of a batch that are not refused.
  ///
  /// - Parameters:
  ///   - names: what the batch's numbers mean; always the same object for one inserter.
  ///   - sequence: the batch's number; higher than that of the inserter's batch before.
  ///   - placement: made of this batch.
  ///   - parts: those of `placement.windows`, in that order, each with a hold.
  package func insert(
    _ batch: LineBatch, names: some RowNames, sequence: UInt64, placement: borrowing RowPlacement,
    parts: [Part]
  ) {
    precondition(sequence > lastSequence, "batch \(sequence) after \(lastSequence)")
    precondition(
      parts.count == placement.windows.count, "\(parts.count) parts for \(placement.windows.count) windows")
    lastSequence = sequence
    forgetStale(names: names)
    for part in parts where part.number &- partBase &- 1 >= UInt64(UInt32.max) { rebase(below: parts) }
    var valueOffset = 0
    for stretch in placement.stretches {
      precondition(stretch.rows.upperBound <= batch.count, "rows \(stretch.rows) of \(batch.count)")
      if stretch.window < 0 {
        for row in stretch.rows { valueOffset += shape(of: batch.fieldLists[row], names: names) }
      } else {
        append(
          batch, rows: stretch.rows, valueOffset: &valueOffset, names: names, sequence: sequence,
          part: parts[stretch.window])
      }
    }
    precondition(
      valueOffset == batch.values.count, "rows have \(valueOffset) values, the batch \(batch.values.count)")
  }

  /// Makes the series of a batch live before it is logged, and refuses the rows of those for which the database has no room: what is
  /// in the log was admitted, so that replay need not ask.
  ///
  /// Costs a comparison a batch while every spelling has its series here, as with a sender that keeps to its series; else a look
  /// at the slot of each row.
  ///
  /// Refusals are kept so that a series that comes again is not asked about again; beyond `refusalCountMax` it is.
  ///
  /// - Parameter nameCount: the numbers that `names` has given.
  package func admit(
    _ batch: LineBatch, names: some RowNames, nameCount: Int, placement: inout RowPlacement
  ) {
    if liveSeries.isUnlimited { return }
    forgetStale(names: names)
    if knownCount == nameCount { return }
    let releases = liveSeries.releases
    if refusedAt != releases || refusals.count > Self.refusalCountMax {
      refusals.removeAll()
      refusedAt = releases
    }
    if unsafe nameCount > slots.count { growSlots(to: nameCount) }
    var hasRefusals = false
    for stretch in placement.stretches where stretch.window >= 0 {
      for row in stretch.rows {
        let number = batch.series[row]
        if unsafe slots[Int(number)].live == 0, !learn(series: number, names: names) { hasRefusals = true }
      }
    }
    if hasRefusals { placement.refuse { refusals[batch.series[$0]] != nil } }
  }

  /// Why rows of a spelling are refused; `nil` if they are not.
  package func refusal(of spelling: UInt32) -> SeriesRefusal? { refusals[spelling] }

  /// Makes the series of a spelling live; `false` if there is no room for it.
  @inline(never) private func learn(series number: UInt32, names: some RowNames) -> Bool {
    if !refusals.isEmpty, refusals[number] != nil { return false }
    unsafe names.withSeriesKey(number) { key in
      switch unsafe liveSeries.admit(key) {
      case .success(let live):
        unsafe slots[Int(number)].live = live.address
        countSlot(Int(number))
      case .failure(let refusal): refusals[number] = refusal
      }
    }
    return unsafe slots[Int(number)].live != 0
  }

  /// Lets go of series without a row for two generations; also done by the next `insert`. For inserters that
  /// fall idle.
  package func sweep() {
    seriesGeneration = liveSeries.generation
    let floor = liveSeries.partNumberFloor
    for index in 0..<slotsEnd {
      let part = unsafe slots[index].part
      if (part == 0 ? 0 : partBase + UInt64(part)) < floor { unsafe forget(&slots[index]) }
    }
  }

  // MARK: The loop

  private func append(
    _ batch: LineBatch, rows: Range<Int>, valueOffset: inout Int, names: some RowNames, sequence: UInt64,
    part: Part
  ) {
    let relative = sequence &- part.firstSequence
    precondition(
      relative >> 32 == 0, "batch \(sequence) is too far from the part's first, \(part.firstSequence)")
    let partNumber = UInt32(part.number - partBase)
    // Pointers into buffers that nobody changes before this returns; `rows` lies in all of them (checked by
    // the caller), values are checked row by row.
    let allSeries = unsafe batch.series.base
    let allLists = unsafe batch.fieldLists.base
    let timestamps = unsafe batch.timestamps.base
    let values = unsafe batch.values.base
    let valueCountMax = batch.values.count
    let strings = unsafe UnsafeRawBufferPointer(batch.strings.elements)
    var offset = valueOffset
    var (low, high) = (Int64.max, Int64.min)
    for row in rows {
      let number = unsafe Int(allSeries[row])
      let list = unsafe allLists[row]
      let timestamp = unsafe timestamps[row]
      if unsafe Int(list) >= shapes.count || shapes[Int(list)].valueCount == 0 { learn(list, names: names) }
      if unsafe number >= slots.count { growSlots(to: number + 1) }
      if row &+ Self.lookAhead < rows.upperBound {
        unsafe prefetch(
          Int(allSeries[row &+ Self.lookAhead]), Int(allSeries[row &+ Self.lookAhead / 2]), partNumber)
        unsafe prefetchRow(Int(allSeries[row &+ Self.lookAhead / 4]), partNumber)
      }
      let valueCount = unsafe Int(shapes[Int(list)].valueCount)
      precondition(offset + valueCount <= valueCountMax, "the batch's values end before its rows")

      let slot = unsafe slots.baseAddress.unsafelyUnwrapped + number
      var chunk = unsafe slot.pointee.chunk
      var index: UInt16 = 0
      if unsafe slot.pointee.part == partNumber && slot.pointee.list == list &+ 1, let open = unsafe chunk {
        index = unsafe open.pointee.count.load(ordering: .relaxed)
        if unsafe index >= open.pointee.capacity { unsafe chunk = nil }
      } else {
        unsafe chunk = nil
      }
      if unsafe chunk == nil {
        unsafe openChunks(
          allSeries, allLists, rows: row..<min(row &+ Self.openedAtOnceMax, rows.upperBound), part: part, names: names)
        unsafe chunk = slots[number].chunk
        index = unsafe chunk.unsafelyUnwrapped.pointee.count.load(ordering: .relaxed)
      }
      let open = unsafe chunk.unsafelyUnwrapped
      let target = unsafe Chunk.rows(open) + Int(index) &* (valueCount &+ Chunk.rowHeaderWords)
      unsafe target[0] = UInt64(bitPattern: timestamp)
      unsafe target[1] = relative &<< 32 | UInt64(truncatingIfNeeded: row)
      unsafe copy(values + offset, to: target + Chunk.rowHeaderWords, count: valueCount)
      if unsafe shapes[Int(list)].hasStrings {
        unsafe keepStrings(target + Chunk.rowHeaderWords, list: Int(list), strings: strings, part: part)
      }
      unsafe note(timestamp, in: open, index: index)
      unsafe open.pointee.count.store(index &+ 1, ordering: .releasing)
      offset += valueCount
      low = min(low, timestamp)
      high = max(high, timestamp)
    }
    valueOffset = offset
    part.count(rows: rows.count, sequence: sequence, firstTimestamp: low, lastTimestamp: high)
  }

  /// Rows ahead of the present one whose slot is asked for; half way its chunk is, and half of that way the place of the row. Of 100,000
  /// series each row misses the cache four times otherwise.
  private static let lookAhead = 16

  @inline(__always) private func prefetch(_ far: Int, _ near: Int, _ partNumber: UInt32) {
    if unsafe far < slots.count { unsafe CShims_prefetch(slots.baseAddress.unsafelyUnwrapped + far) }
    // A chunk of another part may be gone: only its address is looked at. A chunk is opened then, which counts a holder of the series.
    if unsafe near < slots.count {
      let slot = unsafe slots[near]
      let isOpen = unsafe slot.part == partNumber && slot.chunk != nil
      unsafe CShims_prefetch(isOpen ? UnsafeRawPointer(slot.chunk) : UnsafeRawPointer(bitPattern: slot.live))
    }
  }

  /// Asks for the place of the next row of a spelling, whose chunk was asked for.
  @inline(__always) private func prefetchRow(_ number: Int, _ partNumber: UInt32) {
    guard unsafe number < slots.count, unsafe slots[number].part == partNumber, let chunk = unsafe slots[number].chunk else { return }
    let words = unsafe Int(chunk.pointee.count.load(ordering: .relaxed)) &* Int(chunk.pointee.rowWords)
    let place = unsafe Chunk.rows(chunk) + words
    unsafe CShims_prefetch(place)
    // Mostly the line in which the row ends.
    unsafe CShims_prefetch(place + 8)
  }

  // Two words at a time: the rows are short, and a call of memmove costs as much as the copy.
  @inline(__always) private func copy(
    _ source: UnsafeMutablePointer<UInt64>, to target: UnsafeMutablePointer<UInt64>, count: Int
  ) {
    var index = 0
    while index &+ 2 <= count {
      let pair = unsafe UnsafeRawPointer(source + index).loadUnaligned(as: SIMD2<UInt64>.self)
      unsafe UnsafeMutableRawPointer(target + index).storeBytes(of: pair, as: SIMD2<UInt64>.self)
      index &+= 2
    }
    if index < count { unsafe target[index] = source[index] }
  }

  @inline(__always) private func note(
    _ timestamp: Int64, in chunk: UnsafeMutablePointer<Chunk>, index: UInt16
  ) {
    if unsafe chunk.pointee.capacity == 1 { return }
    let bounds = unsafe Chunk.bounds(chunk)
    if index == 0 {
      unsafe bounds.pointee.firstTimestamp.store(timestamp, ordering: .relaxed)
      unsafe bounds.pointee.lastTimestamp.store(timestamp, ordering: .relaxed)
    } else if unsafe timestamp > bounds.pointee.lastTimestamp.load(ordering: .relaxed) {
      unsafe bounds.pointee.lastTimestamp.store(timestamp, ordering: .relaxed)
    } else {
      unsafe bounds.pointee.isAscending.store(0, ordering: .relaxed)
      if unsafe timestamp < bounds.pointee.firstTimestamp.load(ordering: .relaxed) {
        unsafe bounds.pointee.firstTimestamp.store(timestamp, ordering: .relaxed)
      }
    }
  }

  // MARK: What is not the usual

  /// Copies a row's strings to the part, and puts their addresses in their places.
  private func keepStrings(
    _ row: UnsafeMutablePointer<UInt64>, list: Int, strings: UnsafeRawBufferPointer, part: Part
  ) {
    guard let fields = lists[list]?.stringFields else { return }
    var byteCount = 0
    for field in fields { byteCount += unsafe (Int(row[field] & 0xffff_ffff) + 7 + 4) & ~3 }
    var memory = unsafe part.allocate(byteCount)
    for field in fields {
      let (offset, count) = unsafe (Int(row[field] >> 32), Int(row[field] & 0xffff_ffff))
      precondition(
        offset + count <= strings.count, "string at \(offset) of \(count) bytes, past \(strings.count)")
      unsafe memory.storeBytes(of: UInt32(truncatingIfNeeded: count), as: UInt32.self)
      unsafe UnsafeMutableRawBufferPointer(start: memory + 4, count: count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: strings[offset..<offset + count]))
      unsafe row[field] = UInt64(UInt(bitPattern: memory))
      unsafe memory += (count + 7) & ~3
    }
  }

  /// Rows whose chunks are opened with that of the first of them, where they need one.
  private static let openedAtOnceMax = 16

  /// Finds or makes chunks with room for the first of some rows, and for others among them, and remembers them in their slots.
  @inline(never) private func openChunks(
    _ series: UnsafeMutablePointer<UInt32>, _ fieldLists: UnsafeMutablePointer<UInt32>, rows: Range<Int>, part: Part,
    names: some RowNames
  ) {
    unsafe withUnsafeTemporaryAllocation(of: ChunkRequest.self, capacity: Self.openedAtOnceMax) { requests in
      var count = 0
      // Both pointers reach through `rows`.
      let first = unsafe series[rows.lowerBound]
      for row in rows {
        let (spelling, list) = unsafe (series[row], fieldLists[row])
        let isFirst = row == rows.lowerBound
        guard isFirst || spelling != first && isAskable(spelling: spelling, list: list, part: part) else { continue }
        if let request = request(spelling: spelling, list: list, part: part, names: names) {
          unsafe requests[count] = request
          count += 1
        }
      }
      let asked = unsafe UnsafeMutableBufferPointer(rebasing: requests[..<count])
      if count > 0 {
        unsafe part.openChunks(asked, owner: owner) { list in
          guard let fields = lists[Int(list)] else { preconditionFailure("field list \(list) was not learnt") }
          return fields
        }
      }
      for index in asked.indices {
        let request = unsafe asked[index]
        unsafe shapes[Int(request.list)].partNumber = part.number
        unsafe shapes[Int(request.list)].listIndex = request.listIndex
        unsafe slots[Int(request.spelling)].chunk = UnsafeMutablePointer(bitPattern: request.chunk)
        unsafe slots[Int(request.spelling)].list = request.list &+ 1
      }
    }
  }

  /// Whether a row further on may be asked for: it is the first of its spelling in the part, or the chunk that its slot has is full. So no
  /// slot is asked for with two field lists, and none gets a chunk of another list than that of the row which needs it.
  private func isAskable(spelling: UInt32, list: UInt32, part: Part) -> Bool {
    // What is not in the tables yet is for a later call.
    guard unsafe Int(list) < shapes.count && shapes[Int(list)].valueCount > 0 && Int(spelling) < slots.count else { return false }
    let slot = unsafe slots[Int(spelling)]
    guard slot.part == UInt32(part.number - partBase) else { return true }
    guard slot.list == list &+ 1, let chunk = unsafe slot.chunk else { return false }
    return unsafe !Chunk.hasRoom(chunk)
  }

  /// What a part is to be asked for a row of a spelling; `nil` where the slot has a chunk with room, which may be found on the way.
  private func request(spelling: UInt32, list: UInt32, part: Part, names: some RowNames) -> ChunkRequest? {
    let number = UInt32(part.number - partBase)
    let slot = unsafe slots.baseAddress.unsafelyUnwrapped + Int(spelling)
    if unsafe slot.pointee.live == 0 {
      unsafe names.withSeriesKey(spelling) { unsafe slot.pointee.live = liveSeries.intern($0).address }
      countSlot(Int(spelling))
    }
    let shape = unsafe shapes[Int(list)]
    if unsafe slot.pointee.part != number {
      unsafe slot.pointee.part = number
      unsafe slot.pointee.chunk = nil
    } else if unsafe slot.pointee.list == list &+ 1, let chunk = unsafe slot.pointee.chunk, unsafe Chunk.hasRoom(chunk) {
      return nil
    } else if shape.partNumber == part.number {
      // Senders like to split a series' fields over two lines or more, whose chunks then lie behind one another.
      let chunk = unsafe Chunk.find(
        from: slot.pointee.chunk, listIndex: shape.listIndex, owner: owner, lookedThroughMax: Self.lookedThroughMax)
      if let chunk = unsafe chunk, unsafe Chunk.hasRoom(chunk) {
        unsafe slot.pointee.chunk = chunk
        unsafe slot.pointee.list = list &+ 1
        return nil
      }
    }
    unsafe CShims_prefetch(UnsafeRawPointer(bitPattern: slot.pointee.live))
    return unsafe ChunkRequest(
      live: slot.pointee.live, list: list, valueCount: shape.valueCount, listNumber: shape.listNumber, spelling: spelling)
  }

  /// Chunks of a series that are looked through without the part's lock.
  private static let lookedThroughMax = 8

  private func shape(of list: UInt32, names: some RowNames) -> Int {
    if unsafe Int(list) >= shapes.count || shapes[Int(list)].valueCount == 0 { learn(list, names: names) }
    return unsafe Int(shapes[Int(list)].valueCount)
  }

  @inline(never) private func learn(_ list: UInt32, names: some RowNames) {
    let index = Int(list)
    if unsafe index >= shapes.count {
      let larger = UnsafeMutableBufferPointer<Shape>.allocate(capacity: max(16, (index + 1) * 2))
      _ = unsafe larger.initialize(from: shapes)
      unsafe larger[shapes.count...].initialize(repeating: Shape())
      unsafe shapes.deallocate()
      unsafe shapes = larger
    }
    while lists.count <= index { lists.append(nil) }
    let fields = fieldListTable.intern(names.fieldList(list))
    precondition(!fields.keys.isEmpty, "field list \(list) has no fields")
    lists[index] = fields
    unsafe shapes[index] = Shape(
      valueCount: UInt32(fields.keys.count), hasStrings: !fields.stringFields.isEmpty, listNumber: fields.number)
  }

  @inline(never) private func growSlots(to count: Int) {
    let larger = unsafe Self.zeroed(max(64, count + count / 2))
    if let old = unsafe slots.baseAddress { unsafe larger.baseAddress?.update(from: old, count: slotsEnd) }
    unsafe free(slots.baseAddress)
    unsafe slots = larger
  }

  /// A slot has got its series.
  private func countSlot(_ number: Int) {
    knownCount += 1
    slotsEnd = max(slotsEnd, number + 1)
  }

  private func forgetStale(names: some RowNames) {
    if namesGeneration != names.generation {
      namesGeneration = names.generation
      forgetAll()
      // Memory is given back too: it grew with the names that are forgotten.
      unsafe free(slots.baseAddress)
      unsafe slots = Self.zeroed(0)
      slotsEnd = 0
      for index in unsafe 0..<shapes.count { unsafe shapes[index] = Shape() }
      lists.removeAll(keepingCapacity: true)
    }
    if seriesGeneration != liveSeries.generation { sweep() }
  }

  /// Lets slots count parts from a higher number on; what they know of parts goes.
  private func rebase(below parts: [Part]) {
    partBase = parts.reduce(UInt64.max) { min($0, $1.number) } - 1
    for index in 0..<slotsEnd {
      unsafe slots[index].chunk = nil
      unsafe slots[index].part = 0
    }
  }

  private func forgetAll() {
    for index in 0..<slotsEnd { unsafe forget(&slots[index]) }
    refusals.removeAll()
  }

  private func forget(_ slot: inout Slot) {
    if let live = LiveSeries(address: slot.live) {
      live.release()
      knownCount -= 1
    }
    slot = Slot()
  }
}
