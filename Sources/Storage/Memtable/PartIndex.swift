import CShims
import LineProtocol
import Synchronization

/// The series of a part in canonical order, as of one moment.
///
/// Made when first asked for and kept by the part; when series have come since, only these are sorted and
/// merged in.
@safe final class PartIndex: @unchecked Sendable {
  // Unchecked: the pointers lead to `PartSeries` whose `live` never changes and whose `newest` is
  // atomic; they live as long as the part, which every holder of an index holds too.
  private let series: [UnsafeMutablePointer<PartSeries>]

  private init(series: [UnsafeMutablePointer<PartSeries>]) { unsafe self.series = series }

  var count: Int { unsafe series.count }

  /// A series by its place in the order.
  subscript(_ ordinal: Int) -> UnsafeMutablePointer<PartSeries> { unsafe series[ordinal] }

  /// Series ahead of one that is looked at that are asked for; half way their key and newest chunk are, and half of each way that is left
  /// the chunks before it. The order of series is not that of memory: each would be waited for otherwise.
  private static let lookAhead = 24

  /// For loops over the chunks of series in order: asks for what lies behind `ordinal`.
  @inline(__always) func prefetchChunks(after ordinal: Int) {
    guard ordinal + Self.lookAhead < count else { return }
    unsafe CShims_prefetch(series[ordinal + Self.lookAhead])
    unsafe Self.prefetch(PartSeries.newestChunk(series[ordinal + Self.lookAhead / 2]))
    unsafe Self.prefetch(PartSeries.newestChunk(series[ordinal + Self.lookAhead / 4])?.pointee.older)
    unsafe Self.prefetch(PartSeries.newestChunk(series[ordinal + Self.lookAhead / 8])?.pointee.older?.pointee.older)
  }

  /// The bounds before a chunk, and its first row.
  @inline(__always) private static func prefetch(_ chunk: UnsafeMutablePointer<Chunk>?) {
    guard let chunk = unsafe chunk else { return }
    unsafe CShims_prefetch(UnsafeRawPointer(chunk) - 32)
    unsafe CShims_prefetch(UnsafeRawPointer(chunk) + 32)
  }

  /// The same for loops over their keys.
  @inline(__always) func prefetchKey(after ordinal: Int) {
    guard ordinal + Self.lookAhead < count else { return }
    unsafe CShims_prefetch(series[ordinal + Self.lookAhead])
    if let live = unsafe UnsafeRawPointer(bitPattern: series[ordinal + Self.lookAhead / 2].pointee.live.address) {
      unsafe CShims_prefetch(live)
      unsafe CShims_prefetch(live + 64)
    }
  }

  /// A series' key; allocates.
  func key(_ ordinal: Int) -> SeriesKey { unsafe series[ordinal].pointee.live.key }

  /// The ordinals of a measurement's series; binary search.
  func range(of measurement: [UInt8]) -> Range<Int> {
    func bound(_ isBelow: (Int) -> Bool) -> Int {
      var (low, high) = (0, count)
      while low < high {
        let middle = (low + high) / 2
        let order = unsafe KeyOrder.compareMeasurement(of: series[middle].pointee.live.firstBytes, to: measurement)
        if isBelow(order) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let start = bound { $0 < 0 }
    return start..<max(start, bound { $0 <= 0 })
  }

  /// The order of all series that `part` has now.
  static func current(of part: Part) -> PartIndex {
    part.indexCache.withLock { cache in
      let series = part.series
      if let cache, cache.count == series.count { return cache }
      let index = extended(cache, to: series)
      cache = index
      return index
    }
  }

  /// An index has all series up to its count.
  private static func extended(_ old: PartIndex?, to all: PartSeriesList) -> PartIndex {
    let known = old?.count ?? 0
    var new: [SeriesSort.Entry] = []
    new.reserveCapacity(all.count - known)
    for number in known..<all.count {
      if number + lookAhead < all.count {
        unsafe CShims_prefetch(UnsafeRawPointer(bitPattern: all[number + lookAhead].pointee.live.address))
      }
      let series = unsafe all[number]
      let live = unsafe series.pointee.live
      unsafe new.append(SeriesSort.Entry(series: series, live: live, rank: live.rank))
    }
    var sort = SeriesSort(new)
    new = []
    sort.sort()
    let index = merge(old, sort.entries)
    if old == nil {
      sort.setRanks()
    } else {
      for rank in 0..<index.count { unsafe index[rank].pointee.live.rank = UInt32(truncatingIfNeeded: rank) }
    }
    return index
  }

  private static func merge(_ old: PartIndex?, _ new: [SeriesSort.Entry]) -> PartIndex {
    let total = (old?.count ?? 0) + new.count
    var series: [UnsafeMutablePointer<PartSeries>] = unsafe []
    unsafe series.reserveCapacity(total)
    var (i, j) = (0, 0)
    while unsafe series.count < total {
      let takesOld =
        if let old, i < old.count {
          unsafe j == new.count || SeriesSort.isBefore(old.series[i].pointee.live, new[j].live)
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
    return unsafe PartIndex(series: series)
  }
}
