import Synchronization

/// A stretch of rows of one series and field list in a part's arena: this header, then `capacity` rows.
///
/// A row is `2 + values` words: timestamp; batch number relative to the part's base in the upper 32 bits and
/// position in the batch in the lower ones; the values in the order of the field list, a string as the
/// address of its `UInt32` count, behind which its bytes lie. Only the inserter that made a chunk writes to
/// it, so rows of a chunk ascend by their second word; readers take `count` with an acquiring load and see
/// all rows below it.
///
/// Series by the million have one row each, so a chunk for one row is its header and the row; before the header of
/// a longer one lie its `Bounds`.
@safe struct Chunk: ~Copyable {
  /// The series' chunk made before this one; never changes.
  let older: UnsafeMutablePointer<Chunk>?
  /// The field list's index in the part.
  let listIndex: UInt32
  /// The inserter that writes here.
  let owner: UInt32
  /// Words a row.
  let rowWords: UInt32
  let capacity: UInt16
  let count = Atomic<UInt16>(0)

  /// What is kept of the timestamps of a chunk for more than one row: of all rows written, perhaps more than a reader
  /// has counted.
  @safe struct Bounds: ~Copyable {
    let firstTimestamp = Atomic<Int64>(.max)
    let lastTimestamp = Atomic<Int64>(.min)
    /// 1 while each row's timestamp is above all before it.
    let isAscending = Atomic<UInt64>(1)
  }

  /// The words of a row before its values.
  static let rowHeaderWords = 2
  static let capacityMax = 512
  /// A chunk of wide rows holds fewer of them.
  static let byteCountMax = 1 << 16

  private init(
    older: UnsafeMutablePointer<Chunk>?, listIndex: UInt32, owner: UInt32, rowWords: UInt32, capacity: UInt16
  ) {
    unsafe self.older = older
    self.listIndex = listIndex
    self.owner = owner
    self.rowWords = rowWords
    self.capacity = capacity
  }

  /// Makes a chunk in front of `older` for at least one row of `valueCount` values, and about `wantedCapacity` of them.
  static func make(
    in arena: Arena, older: UnsafeMutablePointer<Chunk>?, listIndex: UInt32, owner: UInt32, valueCount: Int,
    wantedCapacity: Int
  ) -> UnsafeMutablePointer<Chunk> {
    let rowWords = rowHeaderWords + valueCount
    let capacity = max(1, min(wantedCapacity, capacityMax, byteCountMax / (rowWords * 8)))
    let boundsByteCount = capacity > 1 ? MemoryLayout<Bounds>.stride : 0
    var memory = unsafe arena.allocate(boundsByteCount + MemoryLayout<Chunk>.stride + capacity * rowWords * 8)
    if capacity > 1 {
      unsafe memory.bindMemory(to: Bounds.self, capacity: 1).initialize(to: Bounds())
      unsafe memory += boundsByteCount
    }
    let chunk = unsafe memory.bindMemory(to: Chunk.self, capacity: 1)
    unsafe chunk.initialize(
      to: Chunk(
        older: older, listIndex: listIndex, owner: owner, rowWords: UInt32(rowWords), capacity: UInt16(capacity)))
    return unsafe chunk
  }

  /// The rows behind a header.
  @inline(__always) static func rows(_ chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<UInt64> {
    unsafe UnsafeMutableRawPointer(chunk + 1).assumingMemoryBound(to: UInt64.self)
  }

  /// The bounds before a header; only where `capacity` is above 1.
  @inline(__always) static func bounds(_ chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<Bounds> {
    unsafe UnsafeMutableRawPointer(chunk).assumingMemoryBound(to: Bounds.self) - 1
  }

  /// The first chunk of an inserter and field list from `chunk` on, which is the last that was made, among so many.
  static func find(
    from chunk: UnsafeMutablePointer<Chunk>?, listIndex: UInt32, owner: UInt32, lookedThroughMax: Int
  ) -> UnsafeMutablePointer<Chunk>? {
    var (next, steps) = unsafe (chunk, 0)
    while let found = unsafe next, steps < lookedThroughMax {
      if unsafe found.pointee.listIndex == listIndex, unsafe found.pointee.owner == owner { return unsafe found }
      unsafe next = found.pointee.older
      steps += 1
    }
    return nil
  }

  /// Whether a row more goes in; asked by its owner.
  static func hasRoom(_ chunk: UnsafeMutablePointer<Chunk>) -> Bool {
    unsafe chunk.pointee.count.load(ordering: .relaxed) < chunk.pointee.capacity
  }

  /// Bounds of the timestamps of a chunk that has rows.
  static func times(_ chunk: UnsafeMutablePointer<Chunk>) -> (first: Int64, last: Int64) {
    if unsafe chunk.pointee.capacity == 1 {
      let time = unsafe Int64(bitPattern: rows(chunk)[0])
      return (time, time)
    }
    let bounds = unsafe bounds(chunk)
    return unsafe (
      bounds.pointee.firstTimestamp.load(ordering: .relaxed), bounds.pointee.lastTimestamp.load(ordering: .relaxed)
    )
  }

  /// Whether the timestamps of its rows ascend.
  static func isAscending(_ chunk: UnsafeMutablePointer<Chunk>) -> Bool {
    unsafe chunk.pointee.capacity == 1 || bounds(chunk).pointee.isAscending.load(ordering: .relaxed) == 1
  }
}
