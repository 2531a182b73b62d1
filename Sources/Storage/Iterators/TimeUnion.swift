/// Sorted lists of timestamps, merged: the union, and where each list lies in it.
enum TimeUnion {
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

  /// Appends a bit for each row of `union`, in words of 64: whether `input`, all of which is in it, has the row.
  ///
  /// Where all or none of 64 rows are the input's, which both ends tell, no other is looked at.
  static func appendMask(of input: ArraySlice<Int64>, in union: [Int64], to out: inout [UInt64]) {
    let base = out.count
    out.append(contentsOf: repeatElement(0, count: (union.count + 63) / 64))
    // Bounds: the source goes no further than its count, rows and words no further than the union.
    let taken = unsafe input.withUnsafeBufferPointer { source in
      unsafe union.withUnsafeBufferPointer { target in
        var next = 0
        for start in stride(from: 0, to: target.count, by: 64) {
          if next == source.count { break }
          let count = min(64, target.count &- start)
          if unsafe source[next] > target[start &+ count &- 1] { continue }
          let last = next &+ count &- 1
          if unsafe last < source.count && source[next] == target[start] && source[last] == target[start &+ count &- 1] {
            out[base &+ start / 64] = Validity.mask(count)
            next = last &+ 1
            continue
          }
          var mask: UInt64 = 0
          for row in 0..<count where next < source.count {
            let isThere = unsafe source[next] == target[start &+ row]
            mask |= (isThere ? 1 : 0) << UInt64(row)
            next &+= isThere ? 1 : 0
          }
          out[base &+ start / 64] = mask
        }
        return next
      }
    }
    precondition(taken == input.count, "timestamp is not in the union")
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
