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
  let keys: [SeriesKey]
  /// The newest series when the index was made.
  private let head: UInt

  private init(series: [UnsafeMutablePointer<PartSeries>], keys: [SeriesKey], head: UInt) {
    unsafe self.series = series
    self.keys = keys
    self.head = head
  }

  var count: Int { keys.count }

  /// A series by its place in the order.
  subscript(_ ordinal: Int) -> UnsafeMutablePointer<PartSeries> { unsafe series[ordinal] }

  /// The ordinals of a measurement's series; binary search.
  func range(of measurement: [UInt8]) -> Range<Int> {
    func bound(_ isBelow: (ArraySlice<UInt8>) -> Bool) -> Int {
      var (low, high) = (0, keys.count)
      while low < high {
        let middle = (low + high) / 2
        if isBelow(keys[middle].measurement) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let start = bound { $0.lexicographicallyPrecedes(measurement) }
    return start..<max(start, bound { !measurement.lexicographicallyPrecedes($0) })
  }

  /// The measurements in order, each once.
  var measurements: [[UInt8]] {
    var names: [[UInt8]] = []
    var index = 0
    while index < keys.count {
      let name = Array(keys[index].measurement)
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
    let key: SeriesKey
    let rank: UInt32
  }

  private static func extended(_ old: PartIndex?, to head: UInt) -> PartIndex {
    let stop = old?.head ?? 0
    var new: [Entry] = []
    var next = unsafe UnsafeMutablePointer<PartSeries>(bitPattern: head)
    while let series = unsafe next, UInt(bitPattern: series) != stop {
      unsafe series.pointee.live._withUnsafeGuaranteedRef { live in
        unsafe new.append(Entry(series: series, key: live.key, rank: live.rank.load(ordering: .relaxed)))
      }
      unsafe next = series.pointee.older
    }
    // The ranks of an earlier sort put most in order; the sort by keys is then one pass.
    new.sort { $0.rank < $1.rank }
    new.sort { isBefore($0.key, $1.key) }
    let index = merge(old, new, head: head)
    for rank in 0..<index.count {
      unsafe index[rank].pointee.live._withUnsafeGuaranteedRef {
        $0.rank.store(UInt32(truncatingIfNeeded: rank), ordering: .relaxed)
      }
    }
    return index
  }

  private static func merge(_ old: PartIndex?, _ new: [Entry], head: UInt) -> PartIndex {
    let total = (old?.count ?? 0) + new.count
    var series: [UnsafeMutablePointer<PartSeries>] = unsafe []
    var keys: [SeriesKey] = []
    unsafe series.reserveCapacity(total)
    keys.reserveCapacity(total)
    var (i, j) = (0, 0)
    while keys.count < total {
      let takesOld =
        if let old, i < old.count { j == new.count || isBefore(old.keys[i], new[j].key) } else { false }
      if takesOld, let old {
        unsafe series.append(old.series[i])
        keys.append(old.keys[i])
        i += 1
      } else {
        unsafe series.append(new[j].series)
        keys.append(new[j].key)
        j += 1
      }
    }
    return unsafe PartIndex(series: series, keys: keys, head: head)
  }

  private static func isBefore(_ a: SeriesKey, _ b: SeriesKey) -> Bool {
    unsafe a.bytes.withUnsafeBufferPointer { x in
      unsafe b.bytes.withUnsafeBufferPointer { y in unsafe KeyOrder.isBefore(x, y) }
    }
  }
}
