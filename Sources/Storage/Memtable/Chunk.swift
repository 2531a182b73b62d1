import Synchronization

/// A stretch of rows of one series and field list in a part's arena: this header, then `capacity` rows.
///
/// A row is `2 + values` words: timestamp; batch number relative to the part's base in the upper 32 bits and
/// position in the batch in the lower ones; the values in the order of the field list, a string as the
/// address of its `UInt32` count, behind which its bytes lie. Only the inserter that made a chunk writes to
/// it, so rows of a chunk ascend by their second word; readers take `count` with an acquiring load and see
/// all rows below it.
@safe struct Chunk: ~Copyable {
  /// The series' chunk made before this one; never changes.
  let older: UnsafeMutablePointer<Chunk>?
  /// The next open chunk of the series, of another inserter or field list; guarded by the part's lock.
  var nextLane: UnsafeMutablePointer<Chunk>?
  /// `FieldList.number`, and the list's index in the part.
  let listNumber: UInt64
  let listIndex: UInt32
  /// The inserter that writes here.
  let owner: UInt32
  let capacity: UInt32
  /// Words a row.
  let rowWords: UInt32
  let count = Atomic<UInt32>(0)
  /// 1 while each row's timestamp is above all before it.
  let isAscending = Atomic<UInt32>(1)
  /// Of all rows written, perhaps more than a reader has counted.
  let firstTimestamp = Atomic<Int64>(.max)
  let lastTimestamp = Atomic<Int64>(.min)

  /// The words of a row before its values.
  static let rowHeaderWords = 2
  static let capacityMax = 512
  /// A chunk of wide rows holds fewer of them.
  static let byteCountMax = 1 << 16

  init(
    older: UnsafeMutablePointer<Chunk>?, nextLane: UnsafeMutablePointer<Chunk>?, listNumber: UInt64,
    listIndex: UInt32, owner: UInt32, capacity: UInt32, rowWords: UInt32
  ) {
    unsafe self.older = older
    unsafe self.nextLane = nextLane
    self.listNumber = listNumber
    self.listIndex = listIndex
    self.owner = owner
    self.capacity = capacity
    self.rowWords = rowWords
  }

  /// The rows behind a header.
  @inline(__always) static func rows(_ chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<UInt64> {
    unsafe UnsafeMutableRawPointer(chunk + 1).assumingMemoryBound(to: UInt64.self)
  }
}

/// A series in a part; lies in the part's arena.
@safe struct PartSeries: ~Copyable {
  /// Retained by the part.
  let live: Unmanaged<LiveSeries>
  /// The part's series made before this one; never changes.
  let older: UnsafeMutablePointer<PartSeries>?
  /// The newest chunk, by its address; 0 before there is one. Chunks behind it never change their links.
  let newest = Atomic<UInt>(0)
  /// Open chunks, last used first; guarded by the part's lock.
  var lanes: UnsafeMutablePointer<Chunk>?

  init(live: Unmanaged<LiveSeries>, older: UnsafeMutablePointer<PartSeries>?) {
    unsafe self.live = live
    unsafe self.older = older
    unsafe self.lanes = nil
  }

  @inline(__always) static func newestChunk(_ series: UnsafeMutablePointer<PartSeries>)
    -> UnsafeMutablePointer<Chunk>?
  {
    unsafe UnsafeMutablePointer(bitPattern: series.pointee.newest.load(ordering: .acquiring))
  }
}
