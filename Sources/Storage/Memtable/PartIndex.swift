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

  /// Series ahead of one that is looked at that are asked for; half way their key and newest chunk are, and half of that way the chunk
  /// before it. The order of series is not that of memory: each would be waited for otherwise.
  private static let lookAhead = 24

  /// For loops over series in order: asks for what lies behind `ordinal`.
  @inline(__always) func prefetch(after ordinal: Int) {
    let (far, middle, near) = (ordinal + Self.lookAhead, ordinal + Self.lookAhead / 2, ordinal + Self.lookAhead / 4)
    guard far < count else { return }
    unsafe CShims_prefetch(series[far])
    unsafe CShims_prefetch(UnsafeRawPointer(bitPattern: series[middle].pointee.live.address))
    // The bounds before a chunk, and its first row.
    if let chunk = unsafe PartSeries.newestChunk(series[middle]) {
      unsafe CShims_prefetch(UnsafeRawPointer(chunk) - 32)
      unsafe CShims_prefetch(UnsafeRawPointer(chunk) + 32)
    }
    if let chunk = unsafe PartSeries.newestChunk(series[near]), let older = unsafe chunk.pointee.older {
      unsafe CShims_prefetch(UnsafeRawPointer(older) - 32)
      unsafe CShims_prefetch(UnsafeRawPointer(older) + 32)
    }
  }

  /// Calls `body` with the flat form of a series' key.
  func withBytes<R>(_ ordinal: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    unsafe series[ordinal].pointee.live.withBytes(body)
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

  @safe private struct Entry {
    let series: UnsafeMutablePointer<PartSeries>
    let live: LiveSeries
    let rank: UInt32
  }

  private static func isBefore(_ a: LiveSeries, _ b: LiveSeries) -> Bool {
    unsafe a.withBytes { x in unsafe b.withBytes { y in unsafe KeyOrder.isBefore(x, y) } }
  }

  /// An index has all series up to its count.
  private static func extended(_ old: PartIndex?, to all: PartSeriesList) -> PartIndex {
    let known = old?.count ?? 0
    var new: [Entry] = []
    new.reserveCapacity(all.count - known)
    for number in known..<all.count {
      let series = unsafe all[number]
      let live = unsafe series.pointee.live
      unsafe new.append(Entry(series: series, live: live, rank: live.rank))
    }
    // The ranks of an earlier sort put most in order; the sort by keys is then one pass.
    new.sort { $0.rank < $1.rank }
    if !sortStretches(&new) { new.sort { isBefore($0.live, $1.live) } }
    let index = merge(old, new)
    for rank in 0..<index.count { unsafe index[rank].pointee.live.rank = UInt32(truncatingIfNeeded: rank) }
    return index
  }

  /// Bytes of keys that are sorted side by side.
  private static let stretchByteCount = 2 << 20

  /// Sorts stretches of series by keys that lie whole beside each other: the sort of all then has few comparisons left, for each of
  /// which two keys may have to be put together. Answers whether none is left: each stretch lies behind the one before.
  private static func sortStretches(_ entries: inout [Entry]) -> Bool {
    var keys = Buffer<UInt8>(capacity: 1 << 16)
    var (start, isSorted) = (0, true)
    while start < entries.count {
      keys.reset()
      var stretch: [(entry: Entry, offset: Int, end: Int)] = []
      while start + stretch.count < entries.count, keys.count < stretchByteCount {
        let (entry, offset) = (entries[start + stretch.count], keys.count)
        unsafe entry.live.withBytes { unsafe keys.append(contentsOf: $0) }
        stretch.append((entry, offset, keys.count))
      }
      let bytes = unsafe keys.elements
      func isBefore(_ a: (entry: Entry, offset: Int, end: Int), _ b: (entry: Entry, offset: Int, end: Int)) -> Bool {
        unsafe KeyOrder.isBefore(
          UnsafeBufferPointer(rebasing: bytes[a.offset..<a.end]), UnsafeBufferPointer(rebasing: bytes[b.offset..<b.end]))
      }
      // Ranks have put most in order: looking costs less than sorting what is sorted.
      if !stretch.indices.dropFirst().allSatisfy({ isBefore(stretch[$0 - 1], stretch[$0]) }) {
        stretch.sort(by: isBefore)
        for (place, sorted) in stretch.enumerated() { entries[start + place] = sorted.entry }
      }
      if start > 0, !Self.isBefore(entries[start - 1].live, entries[start].live) { isSorted = false }
      start += stretch.count
    }
    return isSorted
  }

  private static func merge(_ old: PartIndex?, _ new: [Entry]) -> PartIndex {
    let total = (old?.count ?? 0) + new.count
    var series: [UnsafeMutablePointer<PartSeries>] = unsafe []
    unsafe series.reserveCapacity(total)
    var (i, j) = (0, 0)
    while unsafe series.count < total {
      let takesOld =
        if let old, i < old.count {
          unsafe j == new.count || isBefore(old.series[i].pointee.live, new[j].live)
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
