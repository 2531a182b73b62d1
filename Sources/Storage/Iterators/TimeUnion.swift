/// Sorted lists of timestamps, merged: the union, and where each list lies in it.
enum TimeUnion {
  /// Which rows of a union each of two lists has: a bit for each, 64 rows a word.
  struct Marks {
    var a: [UInt64] = []
    var b: [UInt64] = []
  }

  /// Replaces `out` with the union of two strictly ascending lists; a timestamp of both comes once. `marks` say whose each row is.
  ///
  /// What lies before the other list's first is copied whole, and so is what is left at the end; between them one
  /// branchless pass.
  static func merge(_ a: [Int64], _ b: [Int64], into out: inout [Int64], marks: inout Marks) {
    out.removeAll(keepingCapacity: true)
    clear(&marks.a, forRows: a.count + b.count)
    clear(&marks.b, forRows: a.count + b.count)
    var (i, j) = (a.count, b.count)
    if let a0 = a.first, let b0 = b.first {
      i = a0 < b0 ? firstIndex(in: a, from: 0, notBelow: b0) : 0
      j = b0 < a0 ? firstIndex(in: b, from: 0, notBelow: a0) : 0
    }
    append(a[..<i], to: &out, &marks.a)
    append(b[..<j], to: &out, &marks.b)
    let base = out.count
    out.append(contentsOf: repeatElement(0, count: a.count - i + b.count - j))
    var count = base
    // Bounds: at most one element is written and one row marked for each one read, and room for all was made above.
    unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in
        unsafe out.withUnsafeMutableBufferPointer { z in
          unsafe marks.a.withUnsafeMutableBufferPointer { ofA in
            unsafe marks.b.withUnsafeMutableBufferPointer { ofB in
              while i < x.count, j < y.count {
                let (p, q) = unsafe (x[i], y[j])
                unsafe z[count] = min(p, q)
                let (isA, isB) = (p <= q ? 1 : 0, q <= p ? 1 : 0)
                unsafe ofA[count >> 6] |= UInt64(isA) << UInt64(count & 63)
                unsafe ofB[count >> 6] |= UInt64(isB) << UInt64(count & 63)
                i &+= isA
                j &+= isB
                count &+= 1
              }
            }
          }
        }
      }
    }
    out.removeLast(out.count - count)
    append(a[i...], to: &out, &marks.a)
    append(b[j...], to: &out, &marks.b)
    marks.a.removeLast(marks.a.count - (out.count + 63) / 64)
    marks.b.removeLast(marks.b.count - (out.count + 63) / 64)
  }

  private static func clear(_ words: inout [UInt64], forRows count: Int) {
    words.removeAll(keepingCapacity: true)
    words.append(contentsOf: repeatElement(0, count: (count + 63) / 64))
  }

  /// Appends rows of one list alone, and marks them.
  private static func append(_ rows: ArraySlice<Int64>, to out: inout [Int64], _ marks: inout [UInt64]) {
    var row = out.count
    out.append(contentsOf: rows)
    while row < out.count {
      let count = min(64 - row & 63, out.count - row)
      marks[row >> 6] |= Validity.mask(count) << UInt64(row & 63)
      row += count
    }
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
