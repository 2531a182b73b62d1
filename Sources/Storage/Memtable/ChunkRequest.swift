/// A chunk that an inserter asks a part for, and the answer.
struct ChunkRequest: BitwiseCopyable {
  /// The series, by its address; held by the inserter.
  let live: UInt
  /// The field list by the inserter's number, by its own (`FieldList.number`), and the values that it has.
  let list: UInt32
  let valueCount: UInt32
  let listNumber: UInt64
  /// The spelling for which it is asked.
  let spelling: UInt32

  /// The series' number in the part, where it is known beforehand; else −1.
  var number = -1
  /// The field list's index in the part.
  var listIndex: UInt32 = 0
  /// The chunk, by its address.
  var chunk: UInt = 0
}
