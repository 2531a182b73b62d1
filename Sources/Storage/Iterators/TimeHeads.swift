/// Merges three and more sorted lists of timestamps at once: each time it is looked which list has the lowest, and up to where it has them
/// alone. To unite one list after another costs as much again for each list.
struct TimeHeads {
  /// The lists one behind the other.
  private var times: [Int64] = []
  /// Of each list: what comes next, where it ends, and the time that comes next, the latest of all at the end.
  private var next: [Int] = []
  private var ends: [Int] = []
  private var heads: [Int64] = []

  /// Replaces `out` with the union of strictly ascending lists; a timestamp of several comes once. `masks` has for list after list a bit for
  /// each row of the union, in words of 64: whether the list has the row.
  mutating func merge(_ lists: [(timestamps: [Int64], rows: Range<Int>)], into out: inout [Int64], masks: inout [UInt64]) {
    begin(lists)
    let wordCount = (times.count + 63) / 64
    out.removeAll(keepingCapacity: true)
    masks.removeAll(keepingCapacity: true)
    masks.append(contentsOf: repeatElement(0, count: lists.count * wordCount))
    out.append(addingCapacity: times.count) { span in
      var words = masks.mutableSpan
      merge(into: &span, &words, wordCount)
    }
    // Fewer rows than there was room for: lists share times.
    let count = (out.count + 63) / 64
    guard count < wordCount else { return }
    for list in lists.indices.dropFirst() {
      for word in 0..<count { masks[list * count + word] = masks[list * wordCount + word] }
    }
    masks.removeLast(masks.count - lists.count * count)
  }

  private mutating func begin(_ lists: [(timestamps: [Int64], rows: Range<Int>)]) {
    times.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    heads.removeAll(keepingCapacity: true)
    for list in lists {
      next.append(times.count)
      times.append(contentsOf: list.timestamps[list.rows])
      ends.append(times.count)
      heads.append(list.rows.isEmpty ? .max : list.timestamps[list.rows.lowerBound])
    }
  }

  private mutating func merge(into out: inout OutputSpan<Int64>, _ masks: inout MutableSpan<UInt64>, _ wordCount: Int) {
    var left = times.count
    while left > 0 {
      let (lowest, list, bound) = self.lowest()
      if lowest < bound {
        left -= take(list, below: bound, into: &out, &masks, wordCount)
        continue
      }
      // Several have it.
      for list in heads.indices where heads[list] == lowest && next[list] < ends[list] {
        masks[list * wordCount + out.count >> 6] |= 1 << UInt64(out.count & 63)
        advance(list, to: next[list] + 1)
        left -= 1
      }
      out.append(lowest)
    }
  }

  /// The lowest time that comes next, a list that has it, and the lowest of the others.
  private func lowest() -> (time: Int64, list: Int, bound: Int64) {
    var (lowest, at, bound) = (Int64.max, 0, Int64.max)
    let heads = heads.span
    for list in heads.indices {
      let head = heads[list]
      // Without a branch: whose turn it is cannot be foretold.
      bound = min(bound, max(lowest, head))
      at = head < lowest ? list : at
      lowest = min(lowest, head)
    }
    return (lowest, at, bound)
  }

  /// Appends the times of a list that lie below a bound, one at least. Answers how many.
  private mutating func take(
    _ list: Int, below bound: Int64, into out: inout OutputSpan<Int64>, _ masks: inout MutableSpan<UInt64>, _ wordCount: Int
  ) -> Int {
    let (first, end, base) = (next[list], ends[list], list * wordCount)
    var place = first
    repeat {
      masks[base + out.count >> 6] |= 1 << UInt64(out.count & 63)
      out.append(times[place])
      place += 1
    } while place < end && times[place] < bound
    advance(list, to: place)
    return place - first
  }

  private mutating func advance(_ list: Int, to place: Int) {
    next[list] = place
    heads[list] = place < ends[list] ? times[place] : .max
  }
}
