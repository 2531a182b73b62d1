import LineProtocol
import Storage

/// Values of one output column of one group by time, in the order of the answer. Times may repeat only where a bucket has
/// several answers (`distinct`, `top`).
struct Stream {
  var times: [Int64] = []
  var column: Column
  /// Of the points that a selector picked, a column for each auxiliary.
  var auxiliaries: [Column] = []

  init(_ type: FieldType) { column = .absent(type) }

  init(times: [Int64], column: Column) {
    self.times = times
    self.column = column
  }

  var count: Int { times.count }
  var isEmpty: Bool { times.isEmpty }

  /// The rows at `indices`.
  func gathered(_ indices: [Int]) -> Stream {
    var out = Stream(times: indices.map { times[$0] }, column: column.gathered(indices))
    out.auxiliaries = auxiliaries.map { $0.gathered(indices) }
    return out
  }

  /// Without rows that have no value.
  func droppingNulls() -> Stream {
    guard column.presentCount < count else { return self }
    return gathered((0..<count).filter { column.isPresent($0) })
  }

  func reversed() -> Stream { gathered(Array((0..<count).reversed())) }

  /// The rows of each bucket in reverse, the buckets in their order.
  func reversedWithin(buckets grid: TimeGrid) -> Stream {
    func bucket(_ row: Int) -> Int { grid.bucket(of: times[row]) }
    var order: [Int] = []
    var start = 0
    while start < count {
      var end = start + 1
      while end < count, bucket(end) == bucket(start) { end += 1 }
      order += (start..<end).reversed()
      start = end
    }
    return gathered(order)
  }
}
