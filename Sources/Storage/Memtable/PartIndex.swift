import LineProtocol
import Synchronization

/// The series of a part in canonical order, as of one moment.
///
/// Made when first asked for and kept by the part; when series have come since, only these are sorted and
/// merged in.
@safe final class PartIndex: @unchecked Sendable {
  // Unchecked: the pointers lead to `PartSeries` whose `live` and `older` never change and whose `newest` is
  // atomic; they live as long as the part, which every holder of an index holds too.
  private let series: [UnsafeMutablePointer<PartSeries>]
  /// The newest series when the index was made.
  private let head: UInt

  private init(series: [UnsafeMutablePointer<PartSeries>], head: UInt) {
    unsafe self.series = series
    self.head = head
  }

  var count: Int { unsafe series.count }

  /// A series by its place in the order.
  subscript(_ ordinal: Int) -> UnsafeMutablePointer<PartSeries> { unsafe series[ordinal] }

  /// The flat form of a series' key; lives as long as the part.
  func bytes(_ ordinal: Int) -> UnsafeBufferPointer<UInt8> { unsafe Self.bytes(series[ordinal]) }

  /// A series' key; allocates.
  func key(_ ordinal: Int) -> SeriesKey { SeriesKey(wellFormed: unsafe Array(bytes(ordinal))) }

  private static func bytes(_ series: UnsafeMutablePointer<PartSeries>) -> UnsafeBufferPointer<UInt8> {
    unsafe series.pointee.live._withUnsafeGuaranteedRef { unsafe $0.bytes }
  }

  /// The ordinals of a measurement's series; binary search.
  func range(of measurement: [UInt8]) -> Range<Int> {
    func bound(_ isBelow: (Int) -> Bool) -> Int {
      var (low, high) = (0, count)
      while low < high {
        let middle = (low + high) / 2
        let order = unsafe KeyOrder.compareMeasurement(of: bytes(middle), to: measurement)
        if isBelow(order) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let start = bound { $0 < 0 }
    return start..<max(start, bound { $0 <= 0 })
  }

  /// The measurements in order, each once.
  var measurements: [[UInt8]] {
    var names: [[UInt8]] = []
    var index = 0
    while index < count {
      let name = unsafe KeyOrder.measurement(of: bytes(index))
      names.append(name)
      index = range(of: name).upperBound
    }
    return names
  }

  /// The order of all series that `part` has now.
  static func current(of part: Part) -> PartIndex {
    part.indexCache.withLock { cache in
      let head = UInt(bitPattern: unsafe part.seriesHead)
      if let cache, cache.head == head { return cache }
      let index = extended(cache, to: head)
      cache = index
      return index
    }
  }

  @safe private struct Entry {
    let series: UnsafeMutablePointer<PartSeries>
    let bytes: UnsafeBufferPointer<UInt8>
    let rank: UInt32
  }

  private static func extended(_ old: PartIndex?, to head: UInt) -> PartIndex {
    let stop = old?.head ?? 0
    var new: [Entry] = []
    var next = unsafe UnsafeMutablePointer<PartSeries>(bitPattern: head)
    while let series = unsafe next, UInt(bitPattern: series) != stop {
      unsafe series.pointee.live._withUnsafeGuaranteedRef { live in
        unsafe new.append(Entry(series: series, bytes: live.bytes, rank: live.rank))
      }
      unsafe next = series.pointee.older
    }
    // The ranks of an earlier sort put most in order; the sort by keys is then one pass.
    new.sort { $0.rank < $1.rank }
    new.sort { unsafe KeyOrder.isBefore($0.bytes, $1.bytes) }
    let index = merge(old, new, head: head)
    for rank in 0..<index.count {
      unsafe index[rank].pointee.live._withUnsafeGuaranteedRef {
        $0.rank = UInt32(truncatingIfNeeded: rank)
      }
    }
    return index
  }

  private static func merge(_ old: PartIndex?, _ new: [Entry], head: UInt) -> PartIndex {
    let total = (old?.count ?? 0) + new.count
    var series: [UnsafeMutablePointer<PartSeries>] = unsafe []
    unsafe series.reserveCapacity(total)
    var (i, j) = (0, 0)
    while unsafe series.count < total {
      let takesOld =
        if let old, i < old.count {
          unsafe j == new.count || KeyOrder.isBefore(old.bytes(i), new[j].bytes)
        } else {
          false
        }
      if takesOld, let old {
        unsafe series.append(old.series[i])
        i += 1
      } else {
        unsafe series.append(new[j].series)
        j += 1
      }
    }
    return unsafe PartIndex(series: series, head: head)
  }
}
