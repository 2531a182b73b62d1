/// Sorted lists of timestamps, merged: the union, and where each list lies in it.
enum TimeUnion {
  /// A stretch of an input that lies without a gap in the union.
  struct Overlap: Equatable {
    /// Row of the input, row of the union, rows.
    var source: Int
    var target: Int
    var count: Int
  }

  /// Replaces `out` with the union of two strictly ascending lists; a timestamp of both comes once.
  ///
  /// What lies before the other list's first is copied whole, and so is what is left at the end; between them one
  /// branchless pass.
  static func merge(_ a: [Int64], _ b: [Int64], into out: inout [Int64]) {
    out.removeAll(keepingCapacity: true)
    guard let a0 = a.first, let b0 = b.first else {
      out.append(contentsOf: a.isEmpty ? b : a)
      return
    }
    var i = a0 < b0 ? firstIndex(in: a, from: 0, notBelow: b0) : 0
    var j = b0 < a0 ? firstIndex(in: b, from: 0, notBelow: a0) : 0
    out.append(contentsOf: a[..<i])
    out.append(contentsOf: b[..<j])
    let base = out.count
    out.append(contentsOf: repeatElement(0, count: a.count - i + b.count - j))
    var count = base
    // Bounds: at most one element is written for each one read, and room for all was made above.
    unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in
        unsafe out.withUnsafeMutableBufferPointer { z in
          while i < x.count, j < y.count {
            let (p, q) = unsafe (x[i], y[j])
            unsafe z[count] = min(p, q)
            i &+= p <= q ? 1 : 0
            j &+= q <= p ? 1 : 0
            count &+= 1
          }
        }
      }
    }
    out.removeLast(out.count - count)
    out.append(contentsOf: a[i...])
    out.append(contentsOf: b[j...])
  }

  /// Appends where `input`, all of which is in `union`, lies in it: one segment for each stretch without a gap.
  static func appendSegments(of input: ArraySlice<Int64>, in union: [Int64], to out: inout [Overlap]) {
    var (source, target) = (input.startIndex, 0)
    while source < input.endIndex {
      target = firstIndex(in: union, from: target, notBelow: input[source])
      precondition(target < union.count && union[target] == input[source], "timestamp is not in the union")
      let count = equalCount(input, source, union, target)
      out.append(Overlap(source: source, target: target, count: count))
      source += count
      target += count
    }
  }

  /// Rows from both positions on that are the same.
  private static func equalCount(_ a: ArraySlice<Int64>, _ i: Int, _ b: [Int64], _ j: Int) -> Int {
    let limit = min(a.endIndex - i, b.count - j)
    var count = 0
    while count < limit, a[i + count] == b[j + count] { count += 1 }
    return count
  }

  /// The first index from `start` on whose timestamp is at or above `bound`: doubling steps, then halving (a gallop), so that
  /// near answers are cheap.
  static func firstIndex(in times: [Int64], from start: Int, notBelow bound: Int64) -> Int {
    var (low, step) = (start, 1)
    while low + step <= times.count, times[low + step - 1] < bound {
      low += step
      step *= 2
    }
    var high = min(low + step, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
