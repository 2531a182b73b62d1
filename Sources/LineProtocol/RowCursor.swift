/// Where the next rows of a batch are written: plain pointers for the fast loop, which may not check, count or retain anything a value.
///
/// Made from a batch, used while nobody else touches it, and stored back; growing goes through the batch.
@unsafe struct RowCursor {
  var series: UnsafeMutablePointer<UInt32>
  var fieldLists: UnsafeMutablePointer<UInt32>
  var timestamps: UnsafeMutablePointer<Int64>
  var lines: UnsafeMutablePointer<UInt64>
  var values: UnsafeMutablePointer<UInt64>
  private(set) var rowCount: Int
  private(set) var valueCount: Int
  private var rowCapacity: Int
  private var valueCapacity: Int

  /// The batch's pointers, with room for a row of `valueCount` values.
  init(_ batch: LineBatch, room: Int = 64) {
    batch.series.reserve(1)
    batch.fieldLists.reserve(1)
    batch.timestamps.reserve(1)
    batch.lines.reserve(1)
    batch.values.reserve(room)
    unsafe series = batch.series.base
    unsafe fieldLists = batch.fieldLists.base
    unsafe timestamps = batch.timestamps.base
    unsafe lines = batch.lines.base
    unsafe values = batch.values.base
    unsafe rowCount = batch.timestamps.count
    unsafe valueCount = batch.values.count
    unsafe rowCapacity = min(
      min(batch.series.capacity, batch.fieldLists.capacity),
      min(batch.timestamps.capacity, batch.lines.capacity))
    unsafe valueCapacity = batch.values.capacity
  }

  /// Tells the batch what was written.
  func store(to batch: LineBatch) {
    unsafe batch.series.setCount(rowCount)
    unsafe batch.fieldLists.setCount(rowCount)
    unsafe batch.timestamps.setCount(rowCount)
    unsafe batch.lines.setCount(rowCount)
    unsafe batch.values.setCount(valueCount)
  }

  /// Makes room for one row of `count` values.
  @inline(__always) mutating func reserve(_ count: Int, _ batch: LineBatch) {
    if unsafe rowCount == rowCapacity || valueCount + count > valueCapacity { unsafe grow(count, batch) }
  }

  @inline(never) private mutating func grow(_ count: Int, _ batch: LineBatch) {
    unsafe store(to: batch)
    unsafe self = RowCursor(batch, room: max(count, 64))
  }

  /// Ends a row whose `count` values were written at `values[valueCount]` and after; `reserve` made the room.
  @inline(__always) mutating func append(
    _ series: UInt32, _ list: UInt32, _ time: Int64, _ line: UInt64, _ count: Int
  ) {
    unsafe self.series[rowCount] = series
    unsafe fieldLists[rowCount] = list
    unsafe timestamps[rowCount] = time
    unsafe lines[rowCount] = line
    unsafe rowCount &+= 1
    unsafe valueCount &+= count
  }
}
