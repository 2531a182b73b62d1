import Synchronization

extension Part {
  /// What a part expects of a series at most: one that comes no more wastes as much.
  static let expectedRowCountMax = 8
  /// Series that are looked at.
  private static let sampleCount = 64
  /// Chunks of a series that are looked at: enough for as many rows as are expected at most.
  private static let lookedAtMax = 8

  /// Rows that half of its series have at least, each of one sender and field list, up to `expectedRowCountMax`: told by a sample.
  ///
  /// Senders keep to their series and intervals. Where the next part has room for as many rows at once, most series take one chunk instead
  /// of a chunk of one row, another of two and a third of four: one look at the part, one place in memory.
  package var typicalRowCount: Int {
    let series = series
    guard series.count > 0 else { return 1 }
    let step = max(1, series.count / Self.sampleCount)
    var counts: [Int] = []
    for number in stride(from: 0, to: series.count, by: step) {
      counts.append(unsafe Self.rowCount(from: PartSeries.newestChunk(series[number])))
    }
    counts.sort()
    return max(1, min(counts[counts.count / 2], Self.expectedRowCountMax))
  }

  /// Rows in chunks of the newest one's sender and field list.
  private static func rowCount(from newest: UnsafeMutablePointer<Chunk>?) -> Int {
    var (next, steps, count) = unsafe (newest, 0, 0)
    while let chunk = unsafe next, let newest = unsafe newest, steps < lookedAtMax {
      if unsafe chunk.pointee.listIndex == newest.pointee.listIndex, unsafe chunk.pointee.owner == newest.pointee.owner {
        count += unsafe Int(chunk.pointee.count.load(ordering: .relaxed))
      }
      unsafe next = chunk.pointee.older
      steps += 1
    }
    return count
  }
}
